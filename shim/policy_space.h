/*
 * The ports that were let go in this run, one queue for each protocol and network namespace:
 * `soonest` takes the newest, `quarantine` the one that has rested longest. Lock-free, and safe
 * against the death of any process at any instruction; async-signal-safe.
 */
#ifndef PORTWITNESS_POLICY_SPACE_H
#define PORTWITNESS_POLICY_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/policy_format.h"

/* The area of the attached trace; NULL where the run has no policy (the kernel's own choice). */
struct pw_policy_area *policy_area(void);

/* Adds 1 to one of the area's counters. */
void policy_count(enum pw_policy_count what);

/* The space of a network namespace (SO_NETNS_COOKIE) and protocol (UDP or TCP), made where it is
 * not there yet; the calling thread should be in that namespace then, as the port range of its
 * namespace is read. NULL where the area has no room for one more. */
struct pw_policy_space *policy_space(uint64_t netns, bool is_udp);

/* The same, but never made. */
struct pw_policy_space *policy_space_known(uint64_t netns, bool is_udp);

/* Whether the port is one that may be handed out. */
bool policy_space_has(const struct pw_policy_space *space, uint16_t port);

/* Takes the port let go last, other than `avoid` (0: none); 0 where there is none. */
uint16_t policy_take_newest(struct pw_policy_space *space, uint16_t avoid);

/* While its close has not come back, a port is the one let go last, whatever else is let go. Of two
 * that wait so, the one with the lower score, the likelier to ask for its number again, goes on:
 * false where that is another one. */
bool policy_want(struct pw_policy_space *space, uint16_t port, unsigned score);
bool policy_want_still(struct pw_policy_space *space, uint16_t port, unsigned score);
void policy_want_no_more(struct pw_policy_space *space, uint16_t port);
bool policy_is_wanted(const struct pw_policy_space *space);

/* Takes a port that nobody of this run has had, or that has rested for its time. */
uint16_t policy_take_rested(struct pw_policy_space *space, uint16_t avoid);

/* Takes the port that has rested longest, though not for its time. 0 where none rests at all. */
uint16_t policy_take_oldest(struct pw_policy_space *space, uint16_t avoid);

/* A socket was given the port, by whatever way; `known` if its number is known beforehand. */
void policy_port_bound(struct pw_policy_space *space, uint16_t port, uint64_t cookie, bool known);

/* Somebody read the number. */
void policy_port_read(struct pw_policy_space *space, uint16_t port);

/* Nobody is likely to ask for the number again. */
void policy_port_forget(struct pw_policy_space *space, uint16_t port);

/* A bind to this number was refused: whoever wanted it back knows now. */
void policy_port_refused(struct pw_policy_space *space, uint16_t port);

/* The socket is about to let the port go, and will tell: a notice of the kernel's that comes first
 * is not to be believed. */
void policy_port_closing(struct pw_policy_space *space, uint16_t port, uint64_t cookie);

/* The socket let the port go. `by_notice`: the kernel told of it, which is believed only where the
 * port is not somebody else's already. True where the number was known to somebody and the port
 * waits in the queue, with *stamp what it says then. */
bool policy_port_released(struct pw_policy_space *space, uint16_t port, uint64_t cookie,
                          bool by_notice, uint32_t *stamp);

/* Whether a port that was let go with this stamp is still there to be taken. */
bool policy_port_queued(const struct pw_policy_space *space, uint16_t port, uint32_t stamp);

/* Whether a port that was let go with this stamp is bound again by now. */
bool policy_port_taken(const struct pw_policy_space *space, uint16_t port, uint32_t stamp);

/* Whether the port was handed out while somebody may want it back, who has not asked yet. */
bool policy_port_disputed(const struct pw_policy_space *space, uint16_t port, uint64_t cookie);

/* Notes that a thread asks for a port, and tells whether another one did in the last second. */
void policy_note_asker(struct pw_policy_space *space, uint32_t thread);
bool policy_others_ask(const struct pw_policy_space *space, uint32_t thread);

#endif
