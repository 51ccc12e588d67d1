/*
 * The ports that were released in this run, one queue for each protocol and network namespace:
 * `soonest` takes the newest, `quarantine` the one that has rested longest. Lock-free, and safe
 * against the death of any process at any instruction; async-signal-safe.
 */
#ifndef PORTWITNESS_SHARED_POLICY_SPACE_H
#define PORTWITNESS_SHARED_POLICY_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/shared/policy_format.h"

/* A space as this process knows it. What never changes is looked at once, when the process first
 * meets the space, and kept here, where nobody else can write: the words in the trace that say
 * where the arrays lie may be anything by then. The arrays' own words are to be believed by nobody.
 */
struct policy_space {
    struct pw_policy_space *words; /* those that change */
    _Atomic uint32_t *stamps;      /* NULL: the policy needs no queue */
    _Atomic uint16_t *holders;
    _Atomic uint32_t *ring;
    uint64_t key;
    uint32_t ring_mask; /* a power of two less one */
    uint16_t low, high; /* the ports that may be handed out */
    uint16_t system_low, system_high;
};

/* The area of the attached trace; NULL where the run has no policy (the kernel's own choice). */
struct pw_policy_area *policy_area(void);

/* The policy of the attached trace, as it was when it was attached. */
const struct pw_policy_config *policy_config(void);

/* Forgets the spaces that this process knows: another trace was attached. */
void policy_spaces_forget(void);

/* Adds 1 to one of the area's counters. */
void policy_count(enum pw_policy_count what);

/* The space of a network namespace (SO_NETNS_COOKIE) and protocol (UDP or TCP), made where it is
 * not there yet; the calling thread should be in that namespace then, as the port range of its
 * namespace is read. NULL where the area has no room for one more, or holds impossible values for
 * the space. */
struct policy_space *policy_space(uint64_t netns, bool is_udp);

/* The same, but never made. */
struct policy_space *policy_space_known(uint64_t netns, bool is_udp);

/* Whether the port is one that may be handed out. */
bool policy_space_has(const struct policy_space *space, uint16_t port);

/* Takes the port released last, other than `avoid` (0: none); 0 where there is none. */
uint16_t policy_take_newest(struct policy_space *space, uint16_t avoid);

/* The same for an adversary that is fair (policy_own.h): 0 also where the latest is this thread's
 * own, and it has been given them often enough, and now and then. `thread`: that asks. */
uint16_t policy_take_newest_fairly(struct policy_space *space, uint16_t avoid, uint32_t thread);

/* Takes that port from the queue, if it waits there. */
void policy_take_this(struct policy_space *space, uint16_t port);

/* Takes a port that nobody of this run has had, or that has rested for its time. */
uint16_t policy_take_rested(struct policy_space *space, uint16_t avoid);

/* Takes the port that has rested longest, though not for its time. 0 where none rests at all. */
uint16_t policy_take_oldest(struct policy_space *space, uint16_t avoid);

/* A socket was given the port, by whatever way; `known` if its number is known beforehand. */
void policy_port_bound(struct policy_space *space, uint16_t port, uint64_t cookie, bool known);

/* Somebody read the number. */
void policy_port_read(struct policy_space *space, uint16_t port);

/* The number was asked for: whoever wanted it back has it, or knows now. */
void policy_port_asked_for(struct policy_space *space, uint16_t port);

/* How many ports were kept in vain for who might have asked for them, since somebody last asked for
 * one by number; then adds `more`. */
uint32_t policy_kept_for_nobody(struct policy_space *space, uint32_t more);

/* The socket is about to release the port, and will say so: a notice of the kernel's that comes
 * first is not to be believed. */
void policy_port_closing(struct policy_space *space, uint16_t port, uint64_t cookie);

/* The socket has released the port. Its stamp, where it waits in the queue now; else 0. */
uint32_t policy_port_released(struct policy_space *space, uint16_t port, uint64_t cookie);

/* A UDP socket with these reuse options (PW_FLAG_REUSEADDR, PW_FLAG_REUSEPORT) was given the port
 * for port 0. */
void policy_note_shareable(struct policy_space *space, uint16_t port, uint64_t options);

/* The port that was given last to such a socket, which has it still and has one of these options as
 * well; 0: there is none. */
uint16_t policy_shareable(const struct policy_space *space, uint64_t options);

/* How many releases the space has seen. */
uint32_t policy_releases(const struct policy_space *space);

/* The kernel reported that the socket has released the port, which is believed only where the port
 * is not somebody else's already. It may have been before what was released since policy_releases
 * said *since, and counts as released before that. *since is then what to give with the next notice
 * that was read with this one. */
void policy_port_noticed(struct policy_space *space, uint16_t port, uint64_t cookie,
                         uint32_t *since);

/* Whether a socket of this run has the port, or had it last. */
bool policy_port_was_seen(const struct policy_space *space, uint16_t port);

/* For how long somebody has had the port, in milliseconds; UINT32_MAX where nobody has. */
uint32_t policy_port_held_ms(const struct policy_space *space, uint16_t port);

/* Whether the port was handed out while somebody may want it back, who has not asked yet. */
bool policy_port_disputed(const struct policy_space *space, uint16_t port, uint64_t cookie);

#endif
