/*
 * Under `soonest` whoever binds by number waits a moment until somebody was given its port, and who
 * was given it keeps it until the bind was answered. Both sides know each other by a place in the
 * space: lock-free, and a place that a dying thread leaves behind is free again soon.
 */
#ifndef PORTWITNESS_SHARED_POLICY_WAITERS_H
#define PORTWITNESS_SHARED_POLICY_WAITERS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/shared/policy_space.h"

/* What an address can meet, so that a wait is not ended by who is in nobody's way. `address` as
 * IPv6, IPv4 mapped; `is_dual`: a wildcard of IPv6 that takes IPv4 as well (ipv6(7)). */
uint64_t policy_reach(const uint8_t address[16], bool is_dual);

struct policy_wait {
    struct pw_policy_waiter *waiter; /* NULL: none */
    uint64_t word;
};

/* Enters a bind of this thread to the port. false where every place is taken. */
bool policy_wait_begin(struct policy_space *space, uint16_t port, uint32_t thread, uint64_t reach,
                       struct policy_wait *wait);

/* Whether somebody was given the port since. */
bool policy_wait_is_over(const struct policy_wait *wait);

/* The bind was answered. */
void policy_wait_end(struct policy_wait *wait);

/* A port that somebody waits to see taken by a request of that reach, not `avoid`; 0: none. Each
 * place is tried once: `tried` has a bit for each, 0 at first. *waiter is its number. */
uint16_t policy_wanted(const struct policy_space *space, uint64_t reach, uint16_t avoid,
                       unsigned *tried, unsigned *waiter);

/* That one's port was given to us. */
void policy_wanted_taken(struct policy_space *space, unsigned waiter, uint16_t port);

/* Whether the port is taken, and the bind that waited for that not answered yet. */
bool policy_is_awaited(const struct policy_space *space, uint16_t port);

/* This thread asks for a port, and which one it was given. */
void policy_note_asker(struct policy_space *space, uint32_t thread, uint16_t port);

/* Whether another thread asked in the last second, which does not itself wait in a bind. The one
 * that was given this port last, and has asked but once, is no other: it is who picked it. */
bool policy_others_ask(const struct policy_space *space, uint32_t thread, uint16_t port);

#endif
