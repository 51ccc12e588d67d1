/* What of a trace bears on the life of sockets, in the order of time. */
#ifndef PORTWITNESS_TRACE_EVENTS_H
#define PORTWITNESS_TRACE_EVENTS_H

#include <stdbool.h>

#include "harness/trace/processes.h"
#include "harness/trace/reader.h"

/* A record's part that matters, and the time at which it counts as having happened. */
struct event {
    uint64_t ns;
    uint64_t unit;
    uint64_t process;
    uint64_t cookie;
    uint64_t netns;
    uint64_t flags;
    uint64_t other;   /* cookie of the listener, serial of the child */
    uint32_t binding; /* that the record made, MAP_NONE if none */
    int descriptor;
    int other_descriptor;
    uint32_t value; /* of a shutdown: how; of a linger option: is it on with 0 seconds */
    uint16_t protocol;
    uint16_t error;
    uint8_t kind;
    uint8_t type;
    uint8_t call;
    bool torn;
};

/* Zero-initialized there are none. */
struct events {
    struct event *list;
    size_t count;
    size_t room;
};

/* Adds the record if it bears on sockets; `binding` is the one that it made, or MAP_NONE. */
void events_note(struct events *events, const struct trace_record *record, uint32_t binding);

/* Puts them in order: of end times, but a release by exit and a fork count from when they surely
 * had begun. Equal times keep the order of the trace. */
void events_sort(struct events *events, const struct processes *processes);

/* Frees all. */
void events_free(struct events *events);

#endif
