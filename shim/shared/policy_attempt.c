/*
 * A port is given by narrowing the socket's own range to it and asking the kernel for port 0, so
 * that the rules stay the kernel's (IP_LOCAL_PORT_RANGE, Linux 6.3, ip(7)). Where that cannot be,
 * by number, with the reuse options put aside: with them the kernel would let two sockets share it.
 */
#include "shim/shared/policy_attempt.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "shim/shared/policy_choice.h"
#include "shim/shared/policy_waiters.h"
#include "shim/shared/raw_syscall.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

static bool set_option(int fd, int level, int name, uint32_t value) {
    return raw_syscall6(SYS_setsockopt, fd, level, name, RAW(&value), sizeof value, 0) == 0;
}

static void widen(struct policy_request *request) {
    if (request->narrowed)
        set_option(request->fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, 0);
    request->narrowed = false;
}

void policy_restore(int fd, uint64_t options) {
    set_option(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, 0);
    if ((options & PW_FLAG_REUSEADDR) != 0)
        set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if ((options & PW_FLAG_REUSEPORT) != 0)
        set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

static bool narrow(struct policy_request *request) {
    const struct policy_space *space = request->space;
    if (request->cannot_narrow || request->low < space->system_low ||
        request->high > space->system_high)
        return false;
    request->narrowed = set_option(request->fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE,
                                   request->low | (uint32_t)request->high << 16);
    request->cannot_narrow = !request->narrowed;
    return request->narrowed;
}

static void set_reuse(const struct policy_request *request, bool on) {
    if ((request->options & PW_FLAG_REUSEADDR) != 0)
        set_option(request->fd, SOL_SOCKET, SO_REUSEADDR, on);
    if ((request->options & PW_FLAG_REUSEPORT) != 0)
        set_option(request->fd, SOL_SOCKET, SO_REUSEPORT, on);
}

/* Of UDP sockets with a reuse option the kernel's own choice may share a port as well; it would do
 * so once in a while, we each time: only where that is wanted. */
static long call_narrowed(const struct policy_request *request, long (*call)(const void *),
                          const void *arguments) {
    if (!request->is_udp || request->shares)
        return call(arguments);
    set_reuse(request, false);
    long result = call(arguments);
    set_reuse(request, true);
    return result;
}

static void any_address(const struct policy_request *request, struct sockaddr_storage *address,
                        socklen_t *length) {
    memset(address, 0, sizeof *address);
    address->ss_family = request->family;
    *length =
        request->family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static long bind_by_number(struct policy_request *request) {
    struct sockaddr_storage address;
    socklen_t length = request->length;
    any_address(request, &address, &length);
    if (request->kind == POLICY_BIND) {
        length = request->length;
        address = request->copy;
    }
    in_port_t port = htons(request->low);
    memcpy((char *)&address + offsetof(struct sockaddr_in, sin_port), &port, sizeof port);
    set_reuse(request, false);
    long result = request->ways->bind(request->fd, (const struct sockaddr *)&address, length);
    set_reuse(request, true);
    return result;
}

/* EAGAIN may also mean that the port was given and the data found no room. */
static bool is_refusal(const struct policy_request *request, int error) {
    switch (request->kind) {
    case POLICY_CONNECT:
        return error == EADDRNOTAVAIL || error == EADDRINUSE ||
               (error == EAGAIN && request->is_udp);
    case POLICY_SEND:
        return error == EAGAIN && request->ways->local_port(request->fd) == 0;
    default:
        return error == EADDRINUSE;
    }
}

static void note_refusal(struct policy_request *request) {
    request->tried++;
    request->turn++;
    policy_count(PW_POLICY_REFUSED);
}

/* Who asked for any port has got this one. A connect that failed, as one that is refused does, has
 * lost it again. */
static void note_choice(struct policy_request *request, long result) {
    request->flags = PW_FLAG_POLICY | PW_FLAG_TRIED(request->tried);
    if (request->is_wanted && (result >= 0 || errno == EINPROGRESS))
        policy_wanted_taken(request->space, request->waiter, request->low);
    policy_count(PW_POLICY_CHOSEN);
    if (request->is_recycled)
        policy_count(PW_POLICY_RECYCLED);
    if (request->is_early) {
        policy_count(PW_POLICY_EARLY);
        request->flags |= PW_FLAG_POLICY_EARLY;
    }
    if (request->sequence != 0 && request->tried > 0 && policy_config()->kind == PW_POLICY_SEEDED)
        policy_count(PW_POLICY_MET);
}

static void note_left(struct policy_request *request) {
    request->flags = PW_FLAG_POLICY_LEFT | PW_FLAG_TRIED(request->tried);
    policy_count(policy_config()->low != 0 ? PW_POLICY_OUTSIDE : PW_POLICY_LEFT);
    if (policy_config()->kind == PW_POLICY_SEEDED)
        policy_count(PW_POLICY_MET);
}

/* One port by number. true where the call is decided, with its *result. */
static bool try_number(struct policy_request *request, long (*call)(const void *),
                       const void *arguments, long *result) {
    *result = bind_by_number(request);
    if (*result < 0 && (errno == EADDRINUSE || errno == EACCES)) {
        note_refusal(request);
        return false;
    }
    if (*result == 0) {
        note_choice(request, 0);
        request->flags |= PW_FLAG_POLICY_BY_NUMBER;
        policy_count(PW_POLICY_BY_NUMBER);
        if (request->kind != POLICY_BIND)
            *result = call(arguments);
    }
    return true;
}

static bool try_choice(struct policy_request *request, long (*call)(const void *),
                       const void *arguments, long *result) {
    if (!narrow(request)) {
        widen(request);
        if (request->low == request->high)
            return try_number(request, call, arguments, result);
        request->turn++; /* a range goes by numbers, one by one */
        return false;
    }
    *result = call_narrowed(request, call, arguments);
    if (*result < 0 && is_refusal(request, errno)) {
        note_refusal(request);
        return false;
    }
    note_choice(request, *result);
    return true;
}

/* What is left to the kernel must not be its destination's own port either. */
static bool keep_off_destination(struct policy_request *request) {
    uint16_t low = request->space->system_low, high = request->space->system_high;
    return request->avoid >= low && request->avoid <= high &&
           policy_choose_beside(request, low, high, true) && narrow(request);
}

bool policy_try(struct policy_request *request, long (*call)(const void *), const void *arguments,
                long *result) {
    bool decided = false;
    while (!decided && policy_choose(request))
        decided = try_choice(request, call, arguments, result);
    if (!decided && keep_off_destination(request)) {
        *result = call_narrowed(request, call, arguments);
        decided = *result >= 0 || !is_refusal(request, errno);
        if (decided)
            note_left(request);
    }
    widen(request);
    if (!decided)
        note_left(request);
    return decided;
}
