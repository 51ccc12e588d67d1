/*
 * A port that is bound on the wildcard address goes to no port-0 request and to no bind without
 * SO_REUSEADDR. One with that option shares it, as long as nobody listens; and then listens itself
 * (inet_csk_bind_conflict in net/ipv4/inet_connection_sock.c). So the number is kept until its
 * server comes, without a window in between.
 */
#include "harness/reserve/hold.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool set_option(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

static uint16_t port_of(int fd) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    in_port_t port;
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return 0;
    /* At the same place in both families. */
    memcpy(&port, (char *)&address + offsetof(struct sockaddr_in, sin_port), sizeof port);
    return ntohs(port);
}

/* A socket bound to any port of the family's wildcard address; -1 with errno set. */
static int hold_in(int family, uint16_t *port) {
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    const bool is_v6 = family == AF_INET6;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    bool good = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
                (!is_v6 || set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)) &&
                bind(fd, is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
                     is_v6 ? sizeof v6 : sizeof v4) == 0 &&
                (*port = port_of(fd)) != 0;
    if (good)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int hold_one(uint16_t *port) {
    int fd = hold_in(AF_INET6, port);
    bool no_v6 = errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL || errno == EINVAL;
    return fd < 0 && no_v6 ? hold_in(AF_INET, port) : fd;
}

bool hold_ports(struct held_ports *held, size_t count) {
    held->count = 0;
    while (held->count < count) {
        int fd = hold_one(&held->ports[held->count]);
        if (fd < 0) {
            int error = errno;
            hold_ports_end(held);
            errno = error;
            return false;
        }
        held->sockets[held->count++] = fd;
    }
    return true;
}

void hold_ports_end(struct held_ports *held) {
    for (size_t i = 0; i < held->count; i++)
        close(held->sockets[i]);
    held->count = 0;
}
