/* What `portwitness run` is asked for. */
#ifndef PORTWITNESS_RUN_RUN_OPTIONS_H
#define PORTWITNESS_RUN_RUN_OPTIONS_H

#include <stdbool.h>

#include "harness/trace/new_trace.h"

struct run_options {
    struct new_trace_plan trace;
    bool check; /* the trace, when the command has ended */
    bool quiet;
    bool wait;
    bool follow;
    const char *pytest; /* let pytest find its plugin, which is to do this; NULL: not */
    char **command;     /* ended by NULL; has at least the program */
};

/* What holds where no option says otherwise. */
struct run_options run_options_default(void);

#endif
