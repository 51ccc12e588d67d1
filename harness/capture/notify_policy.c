/*
 * What a policy does in a program that the shim is in, shim/policy does there. Here nobody waits:
 * one thread answers all programs. A close is not notified, so a released port comes back by the
 * kernel's destroy notice (harness/run/destroyed.c).
 */
#include "harness/capture/notify_policy.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "harness/capture/notify_socket.h"
#include "harness/capture/unrecorded.h"
#include "shim/shared/policy_waiters.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static uint16_t local_port(int fd) {
    struct outside_event event;
    return notify_socket_local(fd, &event);
}

/* `seeded` counts the requests of each process, where its shim is. */
static const struct policy_ways ways = {
    .bind = unrecorded_bind, .local_port = local_port, .place = NULL};

static bool is_udp(const struct outside_event *event) { return event->protocol == IPPROTO_UDP; }

/* Only one that is there already: the range of a namespace can be read in it alone. */
static struct policy_space *space_of(const struct outside_event *event) {
    if (!is_udp(event) && event->protocol != IPPROTO_TCP && event->protocol != IPPROTO_MPTCP)
        return NULL;
    return policy_space_known(event->netns, is_udp(event));
}

static enum policy_call call_of(const struct outside_event *event) {
    switch (event->kind) {
    case OUTSIDE_BIND:
        return POLICY_BIND;
    case OUTSIDE_LISTEN:
        return POLICY_LISTEN;
    default:
        return POLICY_CONNECT;
    }
}

static bool is_request(const struct notify_wish *wish) {
    const struct outside_event *event = wish->event;
    if ((event->flags & PW_FLAG_PORT_ZERO) == 0 || event->local_port != 0)
        return false;
    if (event->kind == OUTSIDE_LISTEN)
        return !is_udp(event);
    sa_family_t family = wish->address->sa_family;
    if (event->kind == OUTSIDE_CONNECT)
        return family == AF_INET || family == AF_INET6;
    /* Of the others the connect or send is the request. */
    return (event->flags & PW_FLAG_BIND_ADDRESS_NO_PORT) == 0 &&
           (family == AF_INET || family == AF_INET6 || family == AF_UNSPEC);
}

/* Where the kernel chooses the source address as well, it may be any of its family. */
static uint64_t reach_of(const struct notify_wish *wish) {
    const struct outside_event *event = wish->event;
    uint8_t address[16] = {0};
    if (event->kind == OUTSIDE_BIND)
        memcpy(address, event->requested, sizeof address);
    else if (event->family == AF_INET ||
             (event->kind == OUTSIDE_CONNECT && wish->address->sa_family == AF_INET))
        address[10] = address[11] = 0xff;
    return policy_reach(address, (event->flags & PW_FLAG_V6ONLY) == 0);
}

bool notify_policy_applies(const struct notify_wish *wish, struct policy_request *request) {
    const struct outside_event *event = wish->event;
    const struct pw_policy_config *config = policy_config();
    if (policy_area() == NULL || !is_request(wish) ||
        (config->kind == PW_POLICY_KEEP && config->low == 0))
        return false;
    if ((event->flags & PW_FLAG_LOCAL_PORT_RANGE) != 0) {
        policy_count(PW_POLICY_OWN_RANGE);
        return false;
    }
    struct policy_space *space = space_of(event);
    if (space == NULL) {
        policy_count(PW_POLICY_NO_ROOM);
        return false;
    }
    *request = (struct policy_request){.kind = call_of(event),
                                       .fd = wish->duplicate,
                                       .length = wish->length,
                                       .ways = &ways,
                                       .space = space,
                                       .options = event->flags & PW_FLAG_OPTIONS,
                                       .thread = event->thread,
                                       .family = event->family,
                                       .is_udp = is_udp(event)};
    if (event->kind == OUTSIDE_CONNECT)
        request->avoid = event->peer_port;
    if (event->kind == OUTSIDE_BIND)
        memcpy(&request->copy, wish->address, wish->length);
    if (policy_config()->kind == PW_POLICY_SOONEST) {
        request->reach = reach_of(wish);
        policy_note_asker(space, event->thread, 0);
    }
    return true;
}

static void note_bound(struct policy_space *space, const struct outside_event *event,
                       bool by_number) {
    bool is_soonest = policy_config()->kind == PW_POLICY_SOONEST;
    if (event->local_port == 0)
        return;
    if (by_number)
        policy_port_asked_for(space, event->local_port);
    else if (is_soonest)
        policy_note_asker(space, event->thread, event->local_port);
    if (!by_number && is_soonest && is_udp(event))
        policy_note_shareable(space, event->local_port, event->flags);
    policy_port_bound(space, event->local_port, event->cookie, by_number);
}

static void note_bind(struct policy_space *space, const struct outside_event *event) {
    bool by_number = event->requested_port != 0;
    if (event->error == 0)
        note_bound(space, event, by_number);
    else if (event->error == EADDRINUSE && by_number)
        policy_port_asked_for(space, event->requested_port);
}

/* Under `soonest` nothing follows of a source port. */
static void note_read(struct policy_space *space, const struct outside_event *event) {
    if (policy_config()->kind != PW_POLICY_SOONEST || event->peer_port == 0)
        policy_port_read(space, event->local_port);
}

void notify_policy_note(const struct outside_event *event) {
    struct policy_space *space = policy_area() != NULL ? space_of(event) : NULL;
    if (space == NULL)
        return;
    if (event->kind == OUTSIDE_BIND)
        note_bind(space, event);
    else if (event->kind == OUTSIDE_READ)
        note_read(space, event);
    else if ((event->flags & PW_FLAG_PORT_ZERO) != 0)
        note_bound(space, event, false);
}
