/* The duplicate is the socket itself: its network namespace, its options, its owner. It is closed
 * before the program goes on, so that the program's own close stays the last one. */
#include "harness/capture/notify_socket.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/capture/unrecorded.h"
#include "shim/shared/raw_file.h"

enum { PRIVILEGED_BELOW = 1024 };

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51 /* Linux 6.3 */
#endif
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static int int_option(int fd, int level, int name) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(fd, level, name, &value, &length) == 0 ? value : 0;
}

static uint64_t cookie_option(int fd, int name) {
    uint64_t value = 0;
    socklen_t length = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : 0;
}

uint64_t notify_socket_cookie(int duplicate) { return cookie_option(duplicate, SO_COOKIE); }

void notify_address_store(const union notify_address *address, uint8_t bytes[16], uint16_t *port,
                          uint32_t *scope) {
    memset(bytes, 0, 16);
    *port = 0;
    if (address->any.sa_family == AF_INET6) {
        memcpy(bytes, &address->in6.sin6_addr, 16);
        *port = ntohs(address->in6.sin6_port);
        if (scope != NULL)
            *scope = address->in6.sin6_scope_id;
        return;
    }
    bytes[10] = bytes[11] = 0xff;
    memcpy(bytes + 12, &address->in.sin_addr, 4);
    *port = ntohs(address->in.sin_port);
}

uint16_t notify_socket_local(int duplicate, struct outside_event *event) {
    union notify_address address = {.any.sa_family = AF_UNSPEC};
    socklen_t length = sizeof address;
    event->local_port = 0;
    if (unrecorded_getsockname(duplicate, &address.any, &length) != 0)
        return 0;
    notify_address_store(&address, event->local, &event->local_port, &event->scope);
    return event->local_port;
}

bool notify_socket_peer(int duplicate, struct outside_event *event) {
    union notify_address address = {.any.sa_family = AF_UNSPEC};
    socklen_t length = sizeof address;
    if (getpeername(duplicate, &address.any, &length) != 0)
        return false;
    notify_address_store(&address, event->peer, &event->peer_port, NULL);
    return true;
}

bool notify_socket_listens(int duplicate) {
    return int_option(duplicate, SOL_SOCKET, SO_ACCEPTCONN) != 0;
}

int notify_socket_state(int duplicate) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    return getsockopt(duplicate, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 ? info.tcpi_state : -1;
}

static uint64_t options_of(int fd, unsigned family) {
    uint64_t flags = 0;
    if (int_option(fd, SOL_SOCKET, SO_REUSEADDR) != 0)
        flags |= PW_FLAG_REUSEADDR;
    if (int_option(fd, SOL_SOCKET, SO_REUSEPORT) != 0)
        flags |= PW_FLAG_REUSEPORT;
    if (family == AF_INET6 && int_option(fd, IPPROTO_IPV6, IPV6_V6ONLY) != 0)
        flags |= PW_FLAG_V6ONLY;
    if (int_option(fd, IPPROTO_IP, IP_FREEBIND) != 0)
        flags |= PW_FLAG_FREEBIND;
    if (int_option(fd, IPPROTO_IP, IP_TRANSPARENT) != 0)
        flags |= PW_FLAG_TRANSPARENT;
    if (int_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT) != 0)
        flags |= PW_FLAG_BIND_ADDRESS_NO_PORT;
    if (int_option(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE) != 0)
        flags |= PW_FLAG_LOCAL_PORT_RANGE;
    if (int_option(fd, SOL_SOCKET, SO_ACCEPTCONN) != 0)
        flags |= PW_FLAG_LISTENING;
    return flags;
}

bool notify_socket_look(int duplicate, struct outside_event *event) {
    int family = int_option(duplicate, SOL_SOCKET, SO_DOMAIN);
    int type = int_option(duplicate, SOL_SOCKET, SO_TYPE);
    if ((family != AF_INET && family != AF_INET6) || (type != SOCK_STREAM && type != SOCK_DGRAM))
        return false;
    event->family = (uint8_t)family;
    event->type = (uint8_t)type;
    event->protocol = (uint16_t)int_option(duplicate, SOL_SOCKET, SO_PROTOCOL);
    event->cookie = notify_socket_cookie(duplicate);
    event->netns = cookie_option(duplicate, SO_NETNS_COOKIE);
    event->device = (uint32_t)int_option(duplicate, SOL_SOCKET, SO_BINDTOIFINDEX);
    event->flags = options_of(duplicate, (unsigned)family);
    notify_socket_local(duplicate, event);
    return true;
}

uint64_t notify_own_netns(void) {
    static uint64_t cookie;
    int fd = cookie == 0 ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    if (fd >= 0) {
        cookie = cookie_option(fd, SO_NETNS_COOKIE);
        close(fd);
    }
    return cookie;
}

bool notify_port_is_privileged(uint16_t port, uint64_t netns) {
    char text[16];
    if (port == 0)
        return false;
    if (port < PRIVILEGED_BELOW || netns == 0 || netns != notify_own_netns())
        return true;
    if (raw_file_read_text("/proc/sys/net/ipv4/ip_unprivileged_port_start", text, sizeof text) == 0)
        return true;
    return port < strtoul(text, NULL, 10);
}
