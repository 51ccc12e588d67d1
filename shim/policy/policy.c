/* What the shim knows of a socket, for a policy that answers; and what a policy has to know of
 * calls that it does not answer. */
#include "shim/policy/policy.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "shim/identity.h"
#include "shim/policy/keep.h"
#include "shim/policy/place.h"
#include "shim/process/notified_pass.h"
#include "shim/process/sandbox.h"
#include "shim/real.h"
#include "shim/shared/guest_memory.h"
#include "shim/shared/keep_ask.h"
#include "shim/shared/policy_attempt.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

bool policy_on;

static uint16_t local_port(int fd) { return socket_local(fd).port; }

static const struct policy_ways ways = {
    .bind = pass_bind, .local_port = local_port, .place = policy_place_request};

void policy_begin(void) {
    policy_on = policy_area() != NULL;
    keep_on = keep_area() != NULL;
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
                              const struct socket_facts *facts, const struct address_start *start) {
    struct ip_endpoint endpoint = {.address = {0}};
    bool is_v4 = facts->family == AF_INET;
    if (request->kind == POLICY_BIND)
        endpoint = ip_endpoint_of(&request->copy, request->length);
    else
        is_v4 = is_v4 || (start->family == AF_INET);
    if (endpoint.family == 0 && is_v4)
        endpoint.address[10] = endpoint.address[11] = 0xff;
    return policy_reach_of(facts, &endpoint);
}

bool policy_applies(struct policy_request *request, const struct socket_facts *facts) {
    struct address_start start = {0};
    if (sandbox_is_on())
        return false; /* it takes system calls of ours */
    if (policy_config()->kind == PW_POLICY_KEEP && policy_config()->low == 0)
        return false; /* the kernel chooses */
    bool has_address = request->kind != POLICY_LISTEN && read_start(request, &start);
    if (request->kind == POLICY_BIND && (!has_address || start.port != 0))
        return false;
    if (request->kind == POLICY_SEND && request->address != NULL && !has_address)
        return false; /* it will be refused before it binds */
    if ((request->kind == POLICY_CONNECT && !has_address) ||
        (request->kind == POLICY_LISTEN && is_udp(facts)))
        return false;
    if (request->kind == POLICY_BIND && (facts->flags & PW_FLAG_BIND_ADDRESS_NO_PORT) != 0)
        return false; /* the connect or send will be the request */
    if ((facts->flags & PW_FLAG_LOCAL_PORT_RANGE) != 0) {
        policy_count(PW_POLICY_OWN_RANGE);
        return false;
    }
    request->space = policy_space_of(facts, true);
    if (request->space == NULL) {
        policy_count(PW_POLICY_NO_ROOM);
        return false;
    }
    if (request->kind == POLICY_CONNECT || request->kind == POLICY_SEND)
        request->avoid = has_address ? start.port : 0;
    request->ways = &ways;
    request->options = facts->flags;
    request->family = facts->family;
    request->is_udp = is_udp(facts);
    if (policy_config()->kind == PW_POLICY_SOONEST) {
        request->reach = request_reach(request, facts, &start);
        request->thread = identity_thread();
        policy_note_asker(request->space, request->thread, 0);
    }
    return true;
}

void policy_abandon(int fd) {
    policy_restore(fd, 0);
    sandbox_pledge_kept();
}

long policy_answer(struct policy_request *request, long (*call)(const void *),
                   const void *arguments) {
    long result = -1;
    int before = errno;
    if (!sandbox_pledge())
        return call(arguments);
    bool decided = policy_try(request, call, arguments, &result);
    sandbox_pledge_kept();
    if (!decided || result >= 0)
        errno = before;
    return decided ? result : call(arguments);
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
