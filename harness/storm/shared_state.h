/* What the storm and its publishers share: one mapping of memory, known to all by a descriptor that
 * they inherit. */
#ifndef PORTWITNESS_STORM_SHARED_STATE_H
#define PORTWITNESS_STORM_SHARED_STATE_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "harness/base/endpoint.h"
#include "harness/storm/strategies/allocator.h"

enum {
    PUBLISH_MAPPINGS_MAX = 256,
    PUBLISHERS_MAX = 4000,
    DAEMONS_MAX = 64,
    ATTEMPTS_PER_MAPPING = 16, /* that are remembered; docker makes ten */
    MAPPING_NAME_SIZE = 80
};

/* A host port that the runtime is to choose, and that it chooses again at each start. */
#define HOST_PORT_RUNTIME (-1)

/* One port mapping that every publisher publishes. */
struct publish_mapping {
    struct endpoint endpoint; /* where to listen; the port is 0 */
    uint32_t node;            /* of the file; a node's probes are kept together */
    int32_t container_port;
    int32_t host_port; /* a number; 0: any; HOST_PORT_RUNTIME */
    char name[MAPPING_NAME_SIZE];
};

/* What every publisher is given. */
struct storm_settings {
    uint32_t publishers;
    uint32_t mappings;
    uint32_t strategy; /* index in the table of strategies */
    uint32_t daemons;
    uint64_t seed;
    uint64_t window_min_ns; /* between choosing and binding */
    uint64_t window_max_ns;
    bool reuse_address;
    bool reuse_port;
    bool probes_closed_at_once; /* Kind before v0.22 */
    bool sctp;                  /* the kernel has it */
    uint16_t range_low;
    uint16_t range_high;
    char trace[PATH_MAX];
    struct publish_mapping mapping[PUBLISH_MAPPINGS_MAX];
};

enum attempt_outcome {
    ATTEMPT_HELD = 1,
    ATTEMPT_LOST,      /* the number that was chosen was gone when it was bound */
    ATTEMPT_EXHAUSTED, /* there was no number left */
    ATTEMPT_FAILED     /* something else; `error` says what */
};

/* One choice of a number and what became of it. */
struct attempt {
    uint64_t begin_ns;  /* before the choice */
    uint64_t chosen_ns; /* the number was known */
    uint64_t bound_ns;  /* the bind by number had ended; chosen_ns where choosing was binding */
    struct endpoint endpoint;
    struct endpoint probed; /* where the number was found free; protocol 0: nobody looked */
    uint8_t outcome;        /* enum attempt_outcome */
    uint8_t mapping;
    bool named;       /* the number was named, and nobody gave it */
    bool by_kernel;   /* the number came from a bind to port 0 */
    bool probe_reuse; /* ... with SO_REUSEADDR */
    int32_t error;
};

enum phase { PHASE_STARTED = 1, PHASE_ANNOUNCED, PHASE_FREED };

/* One publisher's place. It alone writes here, but for serial and token. */
struct slot {
    _Atomic uint64_t progress; /* round * 4 + enum phase */
    uint64_t serial;           /* in the trace */
    uint64_t token;
    _Atomic uint32_t attempt_count;
    _Atomic uint32_t announced_count;
    uint64_t announced_ns; /* when the last claim stood in the trace */
};

/* The one mapping. The slots' attempts and announcements lie behind it. */
struct shared_state {
    struct storm_settings settings;
    _Atomic uint32_t round;    /* 0: not begun; a futex on which publishers wait */
    _Atomic uint32_t ended;    /* no more rounds */
    _Atomic uint32_t arrived;  /* publishers that reached the present phase */
    _Atomic uint32_t awaited;  /* ... how many of them wake the storm */
    _Atomic uint32_t complete; /* ... by raising this; a futex */
    uint64_t go_ns;
    uint64_t slots_offset;
    uint64_t attempts_offset;
    uint64_t announced_offset;
    uint64_t allocators_offset;
    uint64_t size;
};

/* Makes the shared for these settings on a new descriptor; NULL with errno set. */
struct shared_state *shared_create(const struct storm_settings *settings, int *descriptor);

/* Maps the shared that a descriptor is open on; NULL with errno set. */
struct shared_state *shared_open(int descriptor);

/* Unmaps it. */
void shared_close(struct shared_state *shared);

/* The parts that belong to publisher `index`. */
struct slot *shared_slot(struct shared_state *shared, uint32_t index);
struct attempt *shared_attempts(struct shared_state *shared, uint32_t index);
struct endpoint *shared_announced(struct shared_state *shared, uint32_t index);

/* The memory of daemon `index`. */
struct allocator *shared_allocator(struct shared_state *shared, uint32_t index);

/* How many attempts of a publisher in one round are remembered. */
uint32_t shared_attempts_room(const struct shared_state *shared);

/* How many endpoints a publisher can announce in one round. */
uint32_t shared_announced_room(const struct shared_state *shared);

/* Waits until the word is no longer `seen`, or until the time is over, or a signal comes. */
void shared_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t most_ns);

/* Wakes all who wait on the word. */
void shared_wake(_Atomic uint32_t *word);

#endif
