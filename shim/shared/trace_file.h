/* Making, opening and mapping a trace file. Used by the shim and by `run`; raw system calls only.
 */
#ifndef PORTWITNESS_SHARED_TRACE_FILE_H
#define PORTWITNESS_SHARED_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/shared/policy_format.h"
#include "shim/shared/trace_format.h"

struct trace_plan {
    uint64_t max_size;       /* bytes; 0: PW_DEFAULT_MAX_SIZE. Cut to RLIMIT_FSIZE and to what the
                                file system takes */
    unsigned mode;           /* permissions; 0: 0600 */
    unsigned supervisor_pid; /* pw_header.supervisor_pid */
    unsigned stacks;         /* pw_header.stacks */
    unsigned questions;      /* pw_header.questions */
    unsigned filters;        /* pw_header.filters */
    bool no_frames;          /* pw_header.no_frames */
    unsigned capture;        /* pw_header.capture */
    const char *no_ebpf;     /* pw_header.no_ebpf; NULL: none */
    const char *host_id;     /* NULL: none */
    const char *policy;      /* NULL: "kernel" */
    const struct pw_policy_config *config; /* NULL: the kernel's own choice */
};

/* What never changes in a trace, as it stood there when it was opened: checked, and in memory that
 * nobody else can write to. Whoever may write to the trace may write these words in it as well. */
struct trace_facts {
    uint64_t capacity;
    uint32_t stacks;    /* at most PW_STACK_MAX */
    uint32_t questions; /* at most PW_QUESTIONS */
    uint32_t supervisor_pid;
    bool no_frames;   /* interpreters are not asked for frames */
    uint32_t capture; /* PW_CAPTURE_... */
    bool same_clock;  /* by trace_open_at_start: clock_is_shared_with the trace's maker */
    uint64_t proc_device;
    uint64_t pid_namespace;
    struct pw_policy_config config;
};

struct trace_map {
    void *base;
    size_t size; /* bytes mapped from the file's start */
    struct trace_facts facts;
};

/* What went wrong: a sentence part for a message ("is not a portwitness trace") and an errno or 0.
 */
struct trace_problem {
    const char *what;
    int error;
};

/* Makes a new trace whole under a temporary name in the same folder, then links it into place.
 * An existing file is left alone: error EEXIST. The header's and first units' pages are populated.
 * true on success. */
bool trace_create(const char *path, const struct trace_plan *plan, struct trace_problem *problem);

/* Whether this is what a policy can be: a kind that exists, a range that is one, a bearable time.
 */
bool trace_config_is_sound(const struct pw_policy_config *config);

/* The filters of a trace's header; -1 where there is no trace. Opens it for reading alone. */
int trace_filters(const char *path);

/* Opens an existing trace, checks the header, maps a view and closes the descriptor again.
 * No symbolic link is followed. true on success. */
bool trace_open(const char *path, struct trace_map *map, struct trace_problem *problem);

/* The same for a program that starts, of which there are many: looks whether the clock is the one
 * of the trace's maker (facts.same_clock). `is_below_run`: `run` says that the trace is its own.
 * That is believed where the clocks show that the machine was not booted since, and then the boot's
 * id is not asked for. */
bool trace_open_at_start(const char *path, bool is_below_run, struct trace_map *map,
                         struct trace_problem *problem);

#endif
