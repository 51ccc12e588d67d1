/* Makes records of what is seen beside the shim, and leaves out what the shim has recorded. */
#ifndef PORTWITNESS_RUN_CAPTURED_H
#define PORTWITNESS_RUN_CAPTURED_H

#include <stdbool.h>

#include "harness/capture/outside_event.h"
#include "harness/capture/outside_frames.h"
#include "harness/run/captured_processes.h"
#include "harness/run/destroyed.h"
#include "harness/run/refused_holder.h"
#include "harness/run/strangers.h"
#include "harness/trace/reader.h"

enum { CAPTURED_OPEN_MAX = 256, CAPTURED_MASKED_MAX = 256 };

struct captured {
    struct destroyed *destroyed; /* knows the sockets of the trace that live */
    bool is_host;                /* events of others than the command come as well */
    pid_t own;                   /* of `run`, whose own sockets are nobody's business */
    struct captured_processes processes;
    struct strangers strangers;
    struct refused_holder refused;
    struct outside_frames frames;
    struct captured_waiting *queue; /* events in the order in which they came */
    bool by_both; /* some calls are reported by the supervisor, all others by the kernel */
    size_t first, count, room;
    /* Calls that the shim has begun to record and not ended, as of the last round. */
    struct captured_open {
        uint64_t begin_ns;
        uint64_t process; /* serial */
    } open[CAPTURED_OPEN_MAX];
    size_t open_count; /* may be more than have room */
    /* Calls whose socket the shim could not ask for its cookie: the latest, a ring. */
    struct captured_masked {
        uint64_t begin_ns, end_ns;
        uint64_t cookie;     /* made up */
        uint64_t real;       /* of the event that was found to be the same, 0: none yet */
        uint64_t process;    /* serial */
        uint64_t unit;       /* number of the record */
        bool is_vfork_child; /* which bears its parent's */
    } masked[CAPTURED_MASKED_MAX];
    size_t masked_count; /* ever */
};

/* Begins with nothing seen. `is_host`: who is in no process of the command's is recorded too, as a
 * stranger. */
void captured_start(struct captured *captured, struct destroyed *destroyed, bool is_host);

/* How many events there is room for until captured_settle was called. */
size_t captured_room(const struct captured *captured);

/* Takes an event; a record of it is written by captured_settle. For want of room one that came
 * before is settled at once, by what is known. */
void captured_note(struct captured *captured, const struct outside_event *event);

/* Learns from a record of the trace what the shim sees itself. */
void captured_learn(struct captured *captured, const struct trace_record *record);

/* Before the trace is read: forgets which records were open. */
void captured_begin_round(struct captured *captured);

/* A record that is not committed; for trace_reader_show_open. */
void captured_learn_open(void *captured, unsigned kind, uint64_t process, uint64_t begin_ns);

/* After the trace has been read to its end: writes records of the events that the shim has not
 * recorded and will not; at the end (`all`) of all. true if any was settled. */
bool captured_settle(struct captured *captured, bool all);

/* Frees what is held. */
void captured_stop(struct captured *captured);

#endif
