/* Traces of one host and boot, read as one: their sockets live in one kernel, so what one of them
 * saw may explain what another did. */
#ifndef PORTWITNESS_CHECK_MACHINE_H
#define PORTWITNESS_CHECK_MACHINE_H

#include "harness/check/check.h"

/* Serials and record numbers of several traces are distinguished by the trace's index in their
 * upper bits. Below, "tagged" means with it, "local" without. */
#define MACHINE_TAG_SHIFT 48
#define MACHINE_LOCAL_MASK ((UINT64_C(1) << MACHINE_TAG_SHIFT) - 1)
#define MACHINE_TRACE(tagged) ((uint32_t)((tagged) >> MACHINE_TAG_SHIFT))
#define MACHINE_LOCAL(tagged) ((tagged)&MACHINE_LOCAL_MASK)

/* Time in which units were taken that nobody ever filled. */
struct blank_moment {
    uint64_t from_ns;
    uint64_t to_ns;
};

struct machine {
    struct check *check;
    const uint32_t *members; /* indexes of its traces */
    size_t count;
    struct trace_reader **readers; /* by index of the trace in check */
    struct blank_moment *blanks;
    size_t blank_count;
    size_t blank_room;
    bool has_losses; /* a process could not write records that others wrote */
    check_progress *progress;
    void *with;
    unsigned passes;
};

enum { MACHINE_PLACES = 4 };

typedef void machine_take(void *with, const struct trace_record *record);

/* Hands out every record of the machine's traces, with serials and record numbers tagged, trace by
 * trace. `pass` counts from 1; the first one also notes processes, blank units, losses and where
 * the last record of a place ends, behind which MACHINE_PLACES does not read. */
void machine_read(struct machine *machine, unsigned pass, machine_take *take, void *with);

/* POSSIBLE where a record that was lost may have fallen in this time: blank units then, or losses
 * at an unknown time. */
enum certainty machine_certainty(const struct machine *machine, uint64_t from_ns, uint64_t to_ns);

/* The call behind a tagged record, without its endpoint. */
struct call machine_call(const struct trace_record *record);

/* The process with a tagged serial, NULL if it has no record. */
const struct process *machine_process(const struct machine *machine, uint64_t serial);

/* Is the trace with that index one of it? */
bool machine_has(const struct machine *machine, uint32_t trace);

/* Frees what reading took. */
void machine_free(struct machine *machine);

#endif
