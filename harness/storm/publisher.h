/* One publisher, as its strategy sees it. */
#ifndef PORTWITNESS_STORM_PUBLISHER_H
#define PORTWITNESS_STORM_PUBLISHER_H

#include "harness/storm/shared_state.h"
#include "harness/storm/trace_views.h"

/* One mapping that is being published in this round. */
struct publication {
    const struct publish_mapping *mapping;
    struct attempt *attempt;  /* the last one; NULL before the first, or when there is no room */
    struct endpoint endpoint; /* with the number chosen; port 0: none yet */
    int socket;               /* -1: none */
    bool held;                /* the endpoint is ours, and can be announced */
    bool given_up;
};

struct strategy;

struct publisher {
    struct shared_state *shared;
    const struct storm_settings *settings;
    const struct strategy *strategy;
    struct slot *slot;
    uint32_t index;
    uint64_t random;                  /* state, see publisher_random */
    uint64_t answer;                  /* the token that whoever connects gets */
    int phase_event;                  /* readable when the round is over */
    struct publication *publications; /* settings->mappings of them */
    uint64_t netns;                   /* cookie, 0: not known yet */
    uint32_t pid;
    uint32_t uid;
    struct trace_views views;
};

/* Begins the random numbers of a round. */
void publisher_seed(struct publisher *publisher, uint32_t round);

/* The next of the publisher's random numbers; they follow from the seed, round and index. */
uint64_t publisher_random(struct publisher *publisher);

/* Begins a new choice for the publication. Never NULL. */
struct attempt *publisher_attempt(struct publisher *publisher, struct publication *publication);

/* The number is chosen: `port`, in the publication's endpoint. */
void publisher_chose(struct publication *publication, unsigned port);

/* How the attempt ended, at this moment; `error` is an errno or 0. */
void publisher_ended(struct publication *publication, enum attempt_outcome outcome, int error);

/* Sleeps for a time between the two, drawn at random. */
void publisher_pause(struct publisher *publisher, uint64_t min_ns, uint64_t max_ns);

/* Writes the claim into the trace and into the shared state. */
void publisher_announce_endpoint(struct publisher *publisher, const struct publication *publication,
                                 const struct endpoint *endpoint);

#endif
