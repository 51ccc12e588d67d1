/*
 * A port is given by narrowing the socket's own range to it and asking the kernel for port 0, so
 * that the rules stay the kernel's (IP_LOCAL_PORT_RANGE, Linux 6.3, ip(7)). Where that cannot be,
 * by number, with the reuse options put aside: with them the kernel would let two sockets share it.
 */
#include "shim/policy/policy.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "shim/identity.h"
#include "shim/policy/choice.h"
#include "shim/process/notified_pass.h"
#include "shim/process/sandbox.h"
#include "shim/real.h"
#include "shim/shared/guest_memory.h"
#include "shim/shared/raw_syscall.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

bool policy_on;

void policy_begin(void) { policy_on = policy_area() != NULL; }

static bool set_option(int fd, int level, int name, uint32_t value) {
    return raw_syscall6(SYS_setsockopt, fd, level, name, RAW(&value), sizeof value, 0) == 0;
}

struct address_start { /* the same in sockaddr_in and sockaddr_in6 */
    sa_family_t family;
    in_port_t port;
    uint32_t rest;
};

/* Family and port of the guest's address; false where it is none of IP, or cannot be read. */
static bool read_start(struct policy_request *request, struct address_start *start) {
    if (request->address == NULL || request->length < sizeof(struct sockaddr_in) ||
        request->length > sizeof request->copy ||
        !guest_copy(&request->copy, request->address, request->length))
        return false;
    memcpy(start, &request->copy, sizeof *start);
    start->port = ntohs(start->port);
    return start->family == AF_INET || start->family == AF_INET6 ||
           (start->family == AF_UNSPEC &&
            (request->kind == POLICY_BIND || request->kind == POLICY_SEND));
}

static bool is_udp(const struct socket_facts *facts) { return facts->protocol == IPPROTO_UDP; }

struct policy_space *policy_space_of(const struct socket_facts *facts, bool make) {
    if (!is_udp(facts) && facts->protocol != IPPROTO_TCP && facts->protocol != IPPROTO_MPTCP)
        return NULL;
    return make ? policy_space(facts->netns, is_udp(facts))
                : policy_space_known(facts->netns, is_udp(facts));
}

uint64_t policy_reach_of(const struct socket_facts *facts, const struct ip_endpoint *endpoint) {
    return policy_reach(endpoint->address, (facts->flags & PW_FLAG_V6ONLY) == 0);
}

/* Where the kernel chooses the source address as well, it may be any of its family. */
static uint64_t request_reach(const struct policy_request *request,
                              const struct address_start *start) {
    struct ip_endpoint endpoint = {.address = {0}};
    bool is_v4 = request->facts->family == AF_INET;
    if (request->kind == POLICY_BIND)
        endpoint = ip_endpoint_of(&request->copy, request->length);
    else
        is_v4 = is_v4 || (start->family == AF_INET);
    if (endpoint.family == 0 && is_v4)
        endpoint.address[10] = endpoint.address[11] = 0xff;
    return policy_reach_of(request->facts, &endpoint);
}

bool policy_applies(struct policy_request *request) {
    struct address_start start = {0};
    if (sandbox_is_on())
        return false; /* it takes system calls of ours */
    bool has_address = request->kind != POLICY_LISTEN && read_start(request, &start);
    if (request->kind == POLICY_BIND && (!has_address || start.port != 0))
        return false;
    if (request->kind == POLICY_SEND && request->address != NULL && !has_address)
        return false; /* it will be refused before it binds */
    if ((request->kind == POLICY_CONNECT && !has_address) ||
        (request->kind == POLICY_LISTEN && is_udp(request->facts)))
        return false;
    if (request->kind == POLICY_BIND && (request->facts->flags & PW_FLAG_BIND_ADDRESS_NO_PORT) != 0)
        return false; /* the connect or send will be the request */
    if ((request->facts->flags & PW_FLAG_LOCAL_PORT_RANGE) != 0) {
        policy_count(PW_POLICY_OWN_RANGE);
        return false;
    }
    request->space = policy_space_of(request->facts, true);
    if (request->space == NULL) {
        policy_count(PW_POLICY_NO_ROOM);
        return false;
    }
    if (request->kind == POLICY_CONNECT || request->kind == POLICY_SEND)
        request->avoid = has_address ? start.port : 0;
    if (policy_config()->kind == PW_POLICY_SOONEST) {
        request->reach = request_reach(request, &start);
        policy_note_asker(request->space, identity_thread(), 0);
    }
    return true;
}

static void widen(struct policy_request *request) {
    if (request->narrowed)
        set_option(request->fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, 0);
    request->narrowed = false;
}

void policy_abandon(int fd) {
    set_option(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, 0);
    sandbox_pledge_kept();
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
    if ((request->facts->flags & PW_FLAG_REUSEADDR) != 0)
        set_option(request->fd, SOL_SOCKET, SO_REUSEADDR, on);
    if ((request->facts->flags & PW_FLAG_REUSEPORT) != 0)
        set_option(request->fd, SOL_SOCKET, SO_REUSEPORT, on);
}

/* Of UDP sockets with a reuse option the kernel's own choice may share a port as well; it would do
 * so once in a while, we each time: only where that is wanted. */
static long call_narrowed(const struct policy_request *request, long (*call)(const void *),
                          const void *arguments) {
    if (!is_udp(request->facts) || request->shares)
        return call(arguments);
    set_reuse(request, false);
    long result = call(arguments);
    set_reuse(request, true);
    return result;
}

static void any_address(const struct policy_request *request, struct sockaddr_storage *address,
                        socklen_t *length) {
    memset(address, 0, sizeof *address);
    address->ss_family = request->facts->family;
    *length = request->facts->family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                 : sizeof(struct sockaddr_in);
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
    long result = pass_bind(request->fd, (const struct sockaddr *)&address, length);
    set_reuse(request, true);
    return result;
}

/* EAGAIN may also mean that the port was given and the data found no room. */
static bool is_refusal(const struct policy_request *request, int error) {
    switch (request->kind) {
    case POLICY_CONNECT:
        return error == EADDRNOTAVAIL || error == EADDRINUSE ||
               (error == EAGAIN && is_udp(request->facts));
    case POLICY_SEND:
        return error == EAGAIN && socket_local(request->fd).port == 0;
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

long policy_answer(struct policy_request *request, long (*call)(const void *),
                   const void *arguments) {
    long result = -1;
    int before = errno;
    if (!sandbox_pledge())
        return call(arguments);
    while (policy_choose(request))
        if (try_choice(request, call, arguments, &result))
            goto done;
    if (keep_off_destination(request)) {
        result = call_narrowed(request, call, arguments);
        if (result >= 0 || !is_refusal(request, errno)) {
            note_left(request);
            goto done;
        }
    }
    widen(request);
    sandbox_pledge_kept();
    note_left(request);
    errno = before;
    return call(arguments);
done:
    widen(request);
    sandbox_pledge_kept();
    if (result >= 0)
        errno = before;
    return result;
}

void policy_note_bound(const struct socket_facts *facts, uint16_t port, bool by_number) {
    struct policy_space *space = policy_space_of(facts, false);
    if (space == NULL || port == 0)
        return;
    if (by_number)
        policy_port_asked_for(space, port);
    else if (policy_config()->kind == PW_POLICY_SOONEST)
        policy_note_asker(space, identity_thread(), port);
    if (!by_number && is_udp(facts) && policy_config()->kind == PW_POLICY_SOONEST)
        policy_note_shareable(space, port, facts->flags);
    policy_port_bound(space, port, facts->cookie, by_number);
}

void policy_note_read(const struct socket_facts *facts, uint16_t port) {
    struct policy_space *space = policy_space_of(facts, false);
    bool is_source_port =
        policy_config()->kind == PW_POLICY_SOONEST && (facts->flags & DESCRIPTOR_SOURCE) != 0;
    if (space != NULL && !is_source_port)
        policy_port_read(space, port);
}

void policy_note_refused(const struct socket_facts *facts, uint16_t port) {
    struct policy_space *space = policy_space_of(facts, false);
    if (space != NULL)
        policy_port_asked_for(space, port);
}
