/* A world: what a few processes truly did with a few ports, at one moment each. */
#ifndef PORTWITNESS_PROPERTY_GENERATED_WORLD_H
#define PORTWITNESS_PROPERTY_GENERATED_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/shared/trace_format.h"

enum { PORTS = 3, FIRST_PORT = 40000, PROCESSES = 40, ACTIONS = 16, EVENTS = 96, NOBODY = -1 };

/* What truly happened, at one moment each. */
struct event {
    enum pw_kind kind;
    int process;
    uint64_t t;
    uint64_t begin;
    uint64_t end;
    uint64_t cookie;
    uint64_t flags;
    unsigned port;
    unsigned error;
    int assignment; /* of a bind by number that relies on one: its event; NOBODY: none */
    int parent;     /* of a start */
    int taker;      /* of a bind that failed: who had the port */
    bool sharp;     /* others' times depend on it, so its interval is narrow */
    bool whole;     /* its record is there */
    bool expected;  /* a race is to be reported for it */
    bool closed;    /* of a bind: its socket was closed */
    bool claimed;
    uint64_t unit;
};

struct world {
    struct event list[EVENTS];
    int count;
    int processes;
    int parent[PROCESSES];
    int holder[PORTS]; /* the bind that holds it */
    uint64_t now;
    uint64_t index; /* of the world */
    bool has_blank;
};

/* The random numbers of all worlds come from one seed. */
void world_seed(uint64_t seed);
unsigned world_below(unsigned limit);

/* Makes the world of that index; its events then have intervals around their moments. */
void world_make(struct world *world, uint64_t index);

/* Is a race to be reported for the event, as far as is on record? Not where what is missing makes
 * it look like something else. */
bool world_expects(const struct world *world, const struct event *event);

#endif
