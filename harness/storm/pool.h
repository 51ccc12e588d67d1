/* The publisher processes of one storm: started, awaited, ended. */
#ifndef PORTWITNESS_STORM_POOL_H
#define PORTWITNESS_STORM_POOL_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "harness/storm/shared_state.h"

struct member {
    pid_t pid;
    bool alive;
    bool end_recorded; /* its death has been reported */
    int status;        /* as of waitpid, once dead */
};

struct publisher_pool {
    struct shared_state *shared;
    struct member *members;
    uint32_t count;
    uint32_t living;
    int event; /* ends the answering of a round */
};

/* Set by a signal handler: everything is to end. */
extern volatile sig_atomic_t pool_interrupted;

/* Starts settings.publishers processes on the shared with the environment given. false, with one
 * line on stderr, where one cannot be started; those that were are ended. */
bool pool_start(struct publisher_pool *pool, struct shared_state *shared, int shared_descriptor,
                char *const environment[]);

/* Waits until every living member has reached the phase of the round. false when interrupted. A
 * member that takes longer than `patience_ns` is killed. */
bool pool_await(struct publisher_pool *pool, uint32_t round, enum phase phase,
                uint64_t patience_ns);

/* Begins a round; false when interrupted before all have announced. */
bool pool_publish(struct publisher_pool *pool, uint32_t round, uint64_t patience_ns);

/* Lets all release what they hold; false when interrupted. */
bool pool_release(struct publisher_pool *pool, uint32_t round, uint64_t patience_ns);

/* Looks for members that have died. How many were found. */
uint32_t pool_reap(struct publisher_pool *pool);

/* Ends all and frees what the pool has, but for the shared. */
void pool_end(struct publisher_pool *pool);

#endif
