/*
 * The policies' area of a trace: what was asked for, what was done, and the ports released in the
 * run. It is shared by all processes of the run, each word of it by atomic operations alone, so
 * that a process may be killed at any instruction and nobody waits for it.
 */
#ifndef PORTWITNESS_SHARED_POLICY_FORMAT_H
#define PORTWITNESS_SHARED_POLICY_FORMAT_H

#include <stdatomic.h>
#include <stdint.h>

#include "shim/shared/trace_format.h"

enum pw_policy_kind {
    PW_POLICY_KERNEL = 0,     /* the guest's results untouched, unless a range is given */
    PW_POLICY_SOONEST = 1,    /* the port released last is handed out first */
    PW_POLICY_QUARANTINE = 2, /* a released port rests for a while */
    PW_POLICY_SEEDED = 3,     /* the port depends on seed, place in the tree and count */
    PW_POLICY_KEEP = 4        /* a port is kept for the run until it is bound by number */
};

/* What the policy did, each a counter in pw_policy_area.count. */
enum pw_policy_count {
    PW_POLICY_CHOSEN = 0,    /* requests that got a port of the policy's choice */
    PW_POLICY_LEFT = 1,      /* requests left to the kernel: the policy had no port for them */
    PW_POLICY_REFUSED = 2,   /* numbers that the kernel refused, so that the next was tried */
    PW_POLICY_BY_NUMBER = 3, /* requests answered by a bind by number (SOCK_BINDPORT_LOCK) */
    PW_POLICY_MET = 4,       /* seeded: requests that did not get the first of their sequence */
    PW_POLICY_EARLY = 5,     /* quarantine: ports given before their time, the oldest first */
    PW_POLICY_RECYCLED = 6,  /* quarantine: ports given again whose number had not been read */
    PW_POLICY_OUTSIDE = 7,   /* requests answered outside the range, which was full */
    PW_POLICY_OWN_RANGE = 8, /* requests of sockets with a range of the program's own */
    PW_POLICY_NO_ROOM = 9,   /* requests in network namespaces that the area had no room for */
    PW_POLICY_WAITED = 10, /* soonest: binds by number that waited for somebody to take the port */
    PW_POLICY_UNPLACED = 11,  /* seeded: processes placed in the order of their arrival */
    PW_POLICY_VAIN_NS = 12,   /* soonest: nanoseconds that were waited for nobody */
    PW_POLICY_UNGIVABLE = 13, /* soonest: numbers released that lie outside the local port range */
    PW_POLICY_COUNTS = 16
};

enum { PW_POLICY_SPACES = 16, PW_POLICY_ASKERS = 4, PW_POLICY_WAITERS = 32 };

/* How long `soonest` may wait for nobody in a whole run. */
#define PW_POLICY_VAIN_NS_MOST UINT64_C(2000000000)

#define PW_POLICY_RING_MOST 16384u
#define PW_POLICY_FOR_MS_MOST (86400u * 1000u)

/* A bind by number that waits until somebody has taken its port (policy_waiters.c). */
struct pw_policy_waiter {
    _Atomic uint64_t word;  /* port, whether it is taken, since when, thread; 0: free */
    _Atomic uint64_t reach; /* the address that it binds to */
};

/* The ports of one protocol in one network namespace. `stamps`, `holders` and `ring` are offsets
 * in the area, of arrays that have an element for each port from low on; the ring has ring_mask + 1
 * words. */
struct pw_policy_space {
    _Alignas(64) _Atomic uint64_t key; /* SO_NETNS_COOKIE twice, and 1 more for UDP; 0: free */
    uint32_t stamps;
    uint32_t holders;
    uint32_t ring;
    uint32_t ring_mask;
    uint16_t low; /* the ports that may be handed out */
    uint16_t high;
    uint16_t system_low; /* net.ipv4.ip_local_port_range when the space was made */
    uint16_t system_high;
    _Alignas(64) _Atomic uint32_t head; /* how many entries the ring has ever taken */
    _Atomic uint32_t cursor;            /* where the search for a rested port goes on */
    _Atomic uint32_t oldest;            /* the stamp that the last search for the oldest found */
    _Atomic uint32_t oldest_cursor;     /* and where */
    _Atomic uint32_t none_until; /* ms: no port has rested for its time before; 0: not known */
    _Atomic uint32_t given;      /* soonest: ports since the last that was left to the kernel */
    _Atomic uint32_t kept;   /* ... ports that were kept for nobody since the last bind by number */
    _Atomic uint32_t shared; /* soonest: the UDP port last given to a socket with a reuse option,
                                and in the higher half the options (PW_FLAG_REUSE...) */
    _Atomic uint64_t dead;   /* entries that are taken for void: from (low half) to (high half) */
    _Atomic uint64_t surely_dead; /* the same, once it was looked at again */
    /* soonest: the last threads that asked, each with the port that it was given and when */
    _Alignas(64) _Atomic uint64_t asker[PW_POLICY_ASKERS];
    struct pw_policy_waiter waiter[PW_POLICY_WAITERS];
};

/* A port's stamp: state in the two highest bits, then 30 bits of an index or of milliseconds. */
enum pw_port_state {
    PW_PORT_FRESH = 0,  /* not yet seen in this run */
    PW_PORT_HELD = 1,   /* handed out, or refused by the kernel: since when */
    PW_PORT_QUEUED = 2, /* released: its entry in the ring */
    PW_PORT_RESTING = 3 /* released: since when */
};
#define PW_STAMP(state, value) ((uint32_t)(state) << 30 | ((uint32_t)(value)&0x3fffffffu))
#define PW_STAMP_STATE(stamp) ((stamp) >> 30)
#define PW_STAMP_VALUE(stamp) ((stamp)&0x3fffffffu)

/* A port's holder: 14 bits of the socket's cookie, 0 when it was released, and what is known. */
#define PW_HOLDER_READ 0x8000u     /* somebody read the number */
#define PW_HOLDER_DISPUTED 0x4000u /* somebody may want it back by number */
#define PW_HOLDER_COOKIE 0x3fffu

/* Where a process stands in the tree of the run; policy `seeded`. */
struct pw_place {
    _Atomic uint64_t key; /* pid and, in the higher half, its namespace's inode; 0: free */
    _Atomic uint64_t place;
    _Atomic uint64_t next; /* the place of a child that the shim cannot know by pid; 0: none */
    _Atomic uint32_t children;
    _Atomic uint32_t requests;
};

struct pw_policy_config {
    uint32_t kind;   /* enum pw_policy_kind */
    uint32_t for_ms; /* how long a port rests, or is kept */
    uint16_t low;    /* of the range asked for; 0: none */
    uint16_t high;
    uint32_t reserved;
    uint64_t seed;
};

struct pw_policy_area {
    struct pw_policy_config config; /* never changes */
    _Alignas(64) _Atomic uint64_t count[PW_POLICY_COUNTS];
    _Alignas(64) _Atomic uint32_t used; /* bytes of the area that are given away */
    _Atomic uint32_t spaces;            /* rows of `space` that are given away */
    struct pw_policy_space space[PW_POLICY_SPACES];
};

/* `seeded` needs no queue: its places fill the area from here on. */
#define PW_PLACES_OFFSET 16384u
#define PW_PLACES ((PW_POLICY_SIZE - PW_PLACES_OFFSET) / (unsigned)sizeof(struct pw_place))

_Static_assert(sizeof(struct pw_policy_area) <= PW_PLACES_OFFSET, "the places come behind it");
_Static_assert(sizeof(struct pw_place) == 32, "no hidden padding");

#endif
