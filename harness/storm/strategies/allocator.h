/* The memory of one simulated container daemon: which ports it has given, and where it stands. */
#ifndef PORTWITNESS_STORM_STRATEGIES_ALLOCATOR_H
#define PORTWITNESS_STORM_STRATEGIES_ALLOCATOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "harness/base/endpoint.h"

enum { ALLOCATOR_ADDRESSES = 16, ALLOCATOR_PORTS = 65536, ALLOCATOR_NOBODY = 0 };

struct allocator_address {
    struct endpoint endpoint;        /* address and protocol; protocol 0: not in use */
    uint32_t cursor;                 /* the last port given; 0: none yet */
    uint16_t owner[ALLOCATOR_PORTS]; /* publisher + 1, or ALLOCATOR_NOBODY */
};

/* Lies in memory that processes share; a publisher that dies in the middle does no harm. */
struct allocator {
    pthread_mutex_t lock;
    struct allocator_address address[ALLOCATOR_ADDRESSES];
};

/* Before first use. */
void allocator_prepare(struct allocator *allocator);

/* Gives the publisher the next port of the range that no overlapping address of this protocol has
 * been given. 0 where there is none, or where there are too many addresses. */
unsigned allocator_give(struct allocator *allocator, const struct endpoint *endpoint,
                        unsigned publisher, unsigned low, unsigned high);

/* Takes one port back. */
void allocator_take(struct allocator *allocator, const struct endpoint *endpoint, unsigned port);

/* Takes back all that a publisher that died was given. */
void allocator_forget(struct allocator *allocator, unsigned publisher);

#endif
