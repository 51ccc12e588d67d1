/*
 * A connection leaves TIME_WAIT on the side that closes first, and a client's source port comes out
 * of the very range that is being filled: so the client resets, and brings a port of its own.
 */
#include "harness/storm/checks/reach_check.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    AT_A_TIME = 64,
    TIMEOUT_MS = 3000,
    SOURCES_TRIED = 256,
    FIRST_PORT = 1024,
    LAST_PORT = 65535
};

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

/* One endpoint that is being asked. */
struct question {
    const struct announced *asked;
    struct endpoint target;
    int fd; /* -1: answered, or given up */
    int error;
    uint64_t token;
};

/* Opens the client and sends it off without waiting. 0 or an errno. */
static int send_off(struct question *question, struct sources *sources) {
    const struct linger reset = {.l_onoff = 1};
    const struct endpoint *target = &question->target;
    struct sockaddr_storage address;
    socklen_t length = endpoint_to_socket_address(target, &address);
    bool datagram = target->protocol == IPPROTO_UDP;
    char letter = '?';
    question->fd =
        socket(target->family, (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK,
               target->protocol);
    if (question->fd < 0)
        return errno;
    if (!datagram && setsockopt(question->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) != 0)
        return errno;
    int error = bind_source(question->fd, target, sources);
    if (error != 0)
        return error;
    if (connect(question->fd, (struct sockaddr *)&address, length) != 0 && errno != EINPROGRESS)
        return errno;
    if (datagram && send(question->fd, &letter, 1, MSG_NOSIGNAL) != 1)
        return errno;
    return 0;
}

static void conclude(struct question *question, int error) {
    question->error = error;
    if (question->fd >= 0)
        close(question->fd);
    question->fd = -1;
}

/* The token is so short that it comes in one piece. */
static void take_answer(struct question *question) {
    ssize_t got = recv(question->fd, &question->token, sizeof question->token, 0);
    if (got == sizeof question->token)
        conclude(question, 0);
    else if (got >= 0)
        conclude(question, EPROTO);
    else if (errno != EAGAIN && errno != EINTR)
        conclude(question, errno);
}

/* Whoever answers first is heard first: a publisher that waits for one of its clients to go does
 * not answer the next. */
static void await_answers(struct question *questions, size_t count) {
    struct pollfd waits[AT_A_TIME];
    for (;;) {
        size_t open_ones = 0;
        for (size_t i = 0; i < count; i++) {
            waits[i] = (struct pollfd){.fd = questions[i].fd, .events = POLLIN};
            open_ones += questions[i].fd >= 0;
        }
        if (open_ones == 0)
            return;
        int ready = poll(waits, count, TIMEOUT_MS);
        if (ready < 0 && errno == EINTR)
            continue;
        for (size_t i = 0; i < count; i++) {
            if (questions[i].fd >= 0 && ready <= 0)
                conclude(&questions[i], ready < 0 ? errno : ETIMEDOUT);
            else if (questions[i].fd >= 0 && waits[i].revents != 0)
                take_answer(&questions[i]);
        }
    }
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

static void check_answer(const struct announcements *announcements, const struct question *question,
                         struct verdict *verdict) {
    const struct announced *asked = question->asked;
    char text[ENDPOINT_TEXT_SIZE];
    if (question->error != 0)
        verdict_differs(verdict, "%s of process %d does not answer: %s",
                        endpoint_text(&asked->endpoint, text), (int)asked->pid,
                        strerror(question->error));
    else if (!right_token(announcements, asked, question->token))
        verdict_differs(verdict, "%s of process %d is answered by somebody else",
                        endpoint_text(&asked->endpoint, text), (int)asked->pid);
}

void reach_check(const struct announcements *announcements, unsigned low, unsigned high,
                 struct verdict *verdict) {
    static struct sources sources = {.next = FIRST_PORT};
    struct question questions[AT_A_TIME];
    sources.low = low;
    sources.high = high;
    for (size_t done = 0; done < announcements->count;) {
        size_t count = 0;
        for (; count < AT_A_TIME && done < announcements->count; count++, done++) {
            const struct announced *asked = &announcements->list[done];
            questions[count] =
                (struct question){.asked = asked, .target = target_of(&asked->endpoint), .fd = -1};
            int error = send_off(&questions[count], &sources);
            if (error != 0)
                conclude(&questions[count], error);
        }
        await_answers(questions, count);
        for (size_t i = 0; i < count; i++)
            check_answer(announcements, &questions[i], verdict);
    }
}
