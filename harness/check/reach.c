/*
 * A connection leaves TIME_WAIT on the side that closes first, and a client's source port comes out
 * of the very range that is being filled: so the client resets, and brings a port of its own.
 */
#include "harness/check/reach.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 3, SOURCES_TRIED = 256, FIRST_PORT = 1024, LAST_PORT = 65535 };

struct sources {
    unsigned low;
    unsigned high;
    unsigned next;
};

static unsigned next_source(struct sources *sources) {
    for (int turn = 0; turn < 2; turn++) {
        if (sources->next < FIRST_PORT || sources->next > LAST_PORT)
            sources->next = FIRST_PORT;
        if (sources->next >= sources->low && sources->next <= sources->high)
            sources->next = sources->high + 1;
        if (sources->next <= LAST_PORT)
            return sources->next++;
    }
    return 0; /* the range is all there is: the kernel chooses */
}

static struct endpoint target_of(const struct endpoint *endpoint) {
    struct endpoint target = *endpoint;
    if (!endpoint_is_wildcard(endpoint))
        return target;
    if (endpoint->family == AF_INET) {
        const struct in_addr loopback = {htonl(INADDR_LOOPBACK)};
        endpoint_set_address(&target, AF_INET, &loopback);
    } else {
        endpoint_set_address(&target, AF_INET6, &in6addr_loopback);
    }
    return target;
}

static int bind_source(int fd, const struct endpoint *target, struct sources *sources) {
    struct endpoint source = {.family = target->family};
    struct sockaddr_storage address;
    if (target->family == AF_INET)
        endpoint_set_address(&source, AF_INET, &(struct in_addr){0});
    for (int i = 0; i < SOURCES_TRIED; i++) {
        source.port = (uint16_t)next_source(sources);
        socklen_t length = endpoint_to_socket_address(&source, &address);
        if (bind(fd, (struct sockaddr *)&address, length) == 0)
            return 0;
        if (errno != EADDRINUSE && errno != EACCES)
            break;
    }
    return errno;
}

static int open_client(const struct endpoint *target, struct sources *sources) {
    bool datagram = target->protocol == IPPROTO_UDP;
    int fd = socket(target->family, (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC,
                    target->protocol);
    if (fd < 0)
        return -1;
    const struct linger reset = {.l_onoff = 1};
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    errno = bind_source(fd, target, sources);
    if (errno == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* 0 with *token filled, or an errno. */
static int ask(const struct endpoint *target, struct sources *sources, uint64_t *token) {
    struct sockaddr_storage address;
    socklen_t length = endpoint_to_socket_address(target, &address);
    int fd = open_client(target, sources);
    if (fd < 0)
        return errno;
    int error = 0;
    char question = '?';
    if (connect(fd, (struct sockaddr *)&address, length) != 0 ||
        (target->protocol == IPPROTO_UDP && send(fd, &question, 1, MSG_NOSIGNAL) != 1))
        error = errno;
    size_t got = 0;
    while (error == 0 && got < sizeof *token) {
        ssize_t part = recv(fd, (char *)token + got, sizeof *token - got, 0);
        if (part > 0)
            got += (size_t)part;
        else if (part == 0)
            error = ECONNRESET;
        else if (errno != EINTR)
            error = errno == EAGAIN ? ETIMEDOUT : errno;
    }
    close(fd);
    return error;
}

/* Where sharing is lawful any of the claimants may answer. */
static bool right_token(const struct announcements *announcements, const struct announced *asked,
                        uint64_t token) {
    if (token == asked->token)
        return true;
    if (!announcements_may_share(announcements, asked->endpoint.protocol))
        return false;
    for (size_t i = 0; i < announcements->count; i++)
        if (announcements->list[i].token == token &&
            endpoints_overlap(&announcements->list[i].endpoint, &asked->endpoint))
            return true;
    return false;
}

void reach_check(const struct announcements *announcements, unsigned low, unsigned high,
                 struct verdict *verdict) {
    static struct sources sources = {.next = FIRST_PORT};
    char text[ENDPOINT_TEXT_SIZE];
    sources.low = low;
    sources.high = high;
    for (size_t i = 0; i < announcements->count; i++) {
        const struct announced *asked = &announcements->list[i];
        const struct endpoint target = target_of(&asked->endpoint);
        uint64_t token = 0;
        int error = ask(&target, &sources, &token);
        if (error != 0)
            verdict_differs(verdict, "%s of process %d does not answer: %s",
                            endpoint_text(&asked->endpoint, text), (int)asked->pid,
                            strerror(error));
        else if (!right_token(announcements, asked, token))
            verdict_differs(verdict, "%s of process %d is answered by somebody else",
                            endpoint_text(&asked->endpoint, text), (int)asked->pid);
    }
}
