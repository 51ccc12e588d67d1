/* By which means each program of a run was seen. */
#ifndef PORTWITNESS_RUN_SEEN_PROGRAMS_H
#define PORTWITNESS_RUN_SEEN_PROGRAMS_H

#include <stdio.h>

#include "harness/base/map.h"
#include "harness/trace/reader.h"

/* Zero-initialized there are none. */
struct seen_programs {
    struct map of; /* by serial, the index in list */
    struct seen_program *list;
    size_t count;
    size_t room;
};

/* Takes a committed record of the trace. */
void seen_programs_note(struct seen_programs *programs, const struct trace_record *record);

/* The line of a summary, if any program was not seen by the shim alone. Nothing is to be noted any
 * more. */
void seen_programs_print(struct seen_programs *programs, FILE *out);

/* Frees all. */
void seen_programs_free(struct seen_programs *programs);

#endif
