/* The trace that `run` or `storm` makes. */
#ifndef PORTWITNESS_TRACE_NEW_TRACE_H
#define PORTWITNESS_TRACE_NEW_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/base/policy_option.h"

/* What is wanted of it. Zero-initialized, but for the group, all is the default. */
struct new_trace_plan {
    const char *name;    /* NULL: a new name in the current folder */
    const char *host_id; /* NULL: none */
    uint64_t max_size;   /* bytes, 0: the default */
    unsigned mode;       /* permissions, 0: the default */
    gid_t group;         /* (gid_t)-1: as it comes */
    unsigned stacks;     /* return addresses to record with a call, 0: none */
    bool no_frames;      /* interpreters are not asked where a call came from */
    unsigned capture;    /* PW_CAPTURE_...: by what else programs are seen */
    const char *no_ebpf; /* why eBPF is none of it, NULL: it is */
    unsigned questions;  /* that a process may ask of the kernel's table of sockets */
    struct policy_option policy;
};

struct new_trace {
    char *name;     /* as given, or as made up */
    char *absolute; /* for processes that change their folder */
};

/* Makes the trace that the plan asks for, with its group, and attaches the recorder to it. false,
 * with one line on stderr, where it cannot; nothing is left behind then. */
bool new_trace_make(struct new_trace *trace, const struct new_trace_plan *plan);

/* Removes the file of a trace that nobody has written to. */
void new_trace_remove(const struct new_trace *trace);

/* Frees the names; the file stays. */
void new_trace_free(struct new_trace *trace);

#endif
