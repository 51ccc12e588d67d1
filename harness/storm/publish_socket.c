/* The same few calls for everybody, so that strategies differ in what they do and not in how. */
#include "harness/storm/publish_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64 };

static int turn_on(int fd, int level, int name) {
    int on = 1;
    return setsockopt(fd, level, name, &on, sizeof on);
}

static int prepare(int fd, const struct endpoint *endpoint, const struct socket_options *options) {
    if (options->reuse_address && turn_on(fd, SOL_SOCKET, SO_REUSEADDR) != 0)
        return -1;
    if (options->reuse_port && turn_on(fd, SOL_SOCKET, SO_REUSEPORT) != 0)
        return -1;
    if (endpoint->v6only && turn_on(fd, IPPROTO_IPV6, IPV6_V6ONLY) != 0)
        return -1;
    return 0;
}

static int bind_endpoint(int fd, struct endpoint *endpoint, const struct socket_options *options) {
    struct sockaddr_storage address;
    socklen_t length = endpoint_to_socket_address(endpoint, &address);
    if (prepare(fd, endpoint, options) != 0 || bind(fd, (struct sockaddr *)&address, length) != 0)
        return -1;
    if (endpoint->port == 0) {
        length = sizeof address;
        if (getsockname(fd, (struct sockaddr *)&address, &length) != 0)
            return -1;
        struct endpoint assigned = *endpoint;
        endpoint_from_socket_address(&assigned, &address);
        endpoint->port = assigned.port;
    }
    if (options->listening && endpoint->protocol != IPPROTO_UDP && listen(fd, BACKLOG) != 0)
        return -1;
    return 0;
}

int socket_publish(struct endpoint *endpoint, const struct socket_options *options) {
    bool datagram = endpoint->protocol == IPPROTO_UDP;
    uint16_t asked = endpoint->port;
    int fd = socket(endpoint->family,
                    (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    endpoint->protocol);
    if (fd < 0)
        return -1;
    if (bind_endpoint(fd, endpoint, options) == 0)
        return fd;
    int error = errno;
    close(fd);
    endpoint->port = asked;
    errno = error;
    return -1;
}

bool socket_sctp_offered(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}
