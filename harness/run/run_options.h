/* What `portwitness run` is asked for. */
#ifndef PORTWITNESS_RUN_RUN_OPTIONS_H
#define PORTWITNESS_RUN_RUN_OPTIONS_H

#include <stdbool.h>

#include "harness/trace/new_trace.h"

/* By what else than the shim programs are seen. */
enum capture_choice {
    CAPTURE_AUTO,    /* by what can be had here */
    CAPTURE_PRELOAD, /* by nothing else */
    CAPTURE_EBPF,
    CAPTURE_HOST, /* by eBPF, and everybody on the machine, not only the command */
    CAPTURE_SECCOMP
};

struct run_options {
    enum capture_choice capture;
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
