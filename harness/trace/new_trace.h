/* The trace that `run` makes. */
#ifndef PORTWITNESS_TRACE_NEW_TRACE_H
#define PORTWITNESS_TRACE_NEW_TRACE_H

#include <stdbool.h>

#include "harness/run/run_options.h"

struct new_trace {
    char *name;     /* as given, or as made up */
    char *absolute; /* for processes that change their folder */
};

/* Makes the trace that the options ask for, with its group, and attaches the recorder to it. false,
 * with one line on stderr, where it cannot; nothing is left behind then. */
bool new_trace_make(struct new_trace *trace, const struct run_options *options);

/* Removes the file of a trace that nobody has written to. */
void new_trace_remove(const struct new_trace *trace);

/* Frees the names; the file stays. */
void new_trace_free(struct new_trace *trace);

#endif
