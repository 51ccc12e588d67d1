/* How processes begin, change their program and end, and what becomes of their descriptors then. */
#ifndef PORTWITNESS_TRACE_LIVES_H
#define PORTWITNESS_TRACE_LIVES_H

#include <stdbool.h>

#include "harness/trace/events.h"
#include "harness/trace/processes.h"
#include "harness/trace/trace_sockets.h"

struct life {
    uint64_t ended_ns;  /* 0: not seen */
    uint32_t successor; /* the process that exec made of it, MAP_NONE if none */
    bool has_parents;   /* was given what its parent had at the fork */
};

struct lives {
    const struct processes *processes;
    struct sockets *sockets;
    struct life *list; /* by process index */
    struct map by_identity;
};

/* Begins with nobody having started. `processes` must hold all that the events name. */
void lives_begin(struct lives *lives, const struct processes *processes, struct sockets *sockets);

/* Applies the start, fork or exit of a process. */
void lives_apply(struct lives *lives, const struct event *event);

/* After the last event: what ended processes still seem to hold went with them. */
void lives_finish(struct lives *lives);

/* Frees what lives_begin took. */
void lives_free(struct lives *lives);

#endif
