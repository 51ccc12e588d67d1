/* Only a bind tells whether a bind would go well; the socket table only shows who is in the way. No
 * listen: whoever connects while we look must not find us. */
#include "harness/system/port_check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/system/port_holders.h"

static int open_socket(int family, const char *protocol) {
    if (strcmp(protocol, "UDP") == 0)
        return socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC,
                  strcmp(protocol, "SCTP") == 0 ? IPPROTO_SCTP : IPPROTO_TCP);
}

/* 0, or the error of a bind to one address. */
static int try_bind(const struct listen_address *address, const char *protocol, uint16_t port) {
    bool v4 = listen_address_is_v4(address);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int on = 1;
    int error = 0;
    int file = open_socket(v4 ? AF_INET : AF_INET6, protocol);

    if (file < 0)
        return errno;
    memcpy(&in.sin_addr, address->bytes + 12, 4);
    memcpy(&in6.sin6_addr, address->bytes, 16);
    if (!v4)
        (void)setsockopt(file, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (strcmp(protocol, "TCP") == 0)
        (void)setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(file, v4 ? (const struct sockaddr *)&in : (const struct sockaddr *)&in6,
             v4 ? sizeof in : sizeof in6) != 0)
        error = errno;
    close(file);
    return error;
}

/* A host without IPv6 takes no part of a mapping to all addresses there. */
static int try_port(const char *address, const char *protocol, uint16_t port,
                    struct listen_address *failed) {
    const char *const both[] = {"0.0.0.0", "::"};
    int error;

    if (address[0] != '\0') {
        *failed = listen_address_parse(address);
        return try_bind(failed, protocol, port);
    }
    for (unsigned i = 0; i < 2; i++) {
        *failed = listen_address_parse(both[i]);
        error = try_bind(failed, protocol, port);
        if (error != 0 && !(i == 1 && (error == EAFNOSUPPORT || error == EADDRNOTAVAIL)))
            return error;
    }
    return 0;
}

static void look_for_holders(const struct listen_address *address, const char *protocol,
                             struct port_check *check) {
    port_holders_find(address, protocol, check->port, check);
    if (check->error == EADDRINUSE || check->error == EADDRNOTAVAIL)
        check->freedom = PORT_TAKEN;
    else
        check->freedom = check->holder_count > 0 ? PORT_TAKEN : PORT_UNKNOWN;
}

void port_check(const char *address, const char *protocol, int32_t first, int32_t last, bool any,
                struct port_check *check) {
    struct listen_address failed = {0};

    *check = (struct port_check){.freedom = PORT_UNKNOWN, .error = EINVAL, .port = (uint16_t)first};
    if (address[0] != '\0' && !listen_address_parse(address).valid)
        return;
    for (int32_t port = first; port > 0 && port <= last && port <= 65535; port++) {
        struct listen_address at;
        int error = try_port(address, protocol, (uint16_t)port, &at);

        if (error == 0 && any) {
            *check = (struct port_check){.freedom = PORT_FREE, .port = (uint16_t)port};
            return;
        }
        if (error != 0 && !failed.valid) {
            failed = at;
            check->error = error;
            check->port = (uint16_t)port;
        }
        if (error != 0 && !any)
            break;
    }
    if (failed.valid)
        look_for_holders(&failed, protocol, check);
    else if (first > 0 && last <= 65535)
        *check = (struct port_check){.freedom = PORT_FREE, .port = (uint16_t)first};
}
