/* Is a process that a trace names still there? */
#ifndef PORTWITNESS_REPORT_PRESENCE_H
#define PORTWITNESS_REPORT_PRESENCE_H

#include "harness/check/check.h"

enum presence {
    PRESENCE_ELSEWHERE, /* the trace is of another boot, machine or pid namespace: it is not known
                         */
    PRESENCE_ENDED,
    PRESENCE_RUNNING
};

/* Whether this machine, as it was booted now, made the trace, and sees the pids that it names. */
bool presence_is_here(const struct check_trace *trace);

/* The process with that pid in the trace, and with that start in ticks since boot; 0: any. */
enum presence presence_of(const struct check_trace *trace, uint32_t pid, uint64_t start_ticks);

#endif
