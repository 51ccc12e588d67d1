/* What is known of one process, for the files of captured_processes.h alone. */
#ifndef PORTWITNESS_RUN_CAPTURED_PROCESS_H
#define PORTWITNESS_RUN_CAPTURED_PROCESS_H

#include "harness/capture/remote_program.h"
#include "harness/run/captured_processes.h"
#include "harness/run/captured_start.h"

enum { IMAGES_KEPT = 8 };

struct captured_process {
    uint32_t pid;
    uint64_t serial;     /* 0: its start is not written yet */
    uint64_t start_time; /* clock ticks since boot; 0: not known */
    uint64_t executed_ns;
    uint64_t met_ns;              /* at a call, by when it ran what it runs now; 0: not so */
    struct captured_start *start; /* what is kept of it until then */
    struct remote_program
        program;      /* what runs there, if the shim is not in it; file -1: not open */
    char *announced;  /* the program as who executed it named it; NULL: nobody has */
    bool is_to_come;  /* /proc showed another program when the exec was reported */
    uint64_t shim_ns; /* when the shim began to record the program */
    bool has_shim;
    bool goes_past;     /* ... which makes calls past it */
    bool is_looked_for; /* the shim is in it, and it makes calls past the shim: Go with C in it */
    unsigned image;     /* programs executed here so far */
    uint64_t before[IMAGES_KEPT]; /* serials of the latest ones before, by image */
    bool is_gone;                 /* by a look at /proc; its last events may wait still */
    bool has_ended;
};

static inline struct captured_process *
captured_process_find(const struct captured_processes *processes, uint32_t pid) {
    uint32_t index = map_get(&processes->by_pid, pid);
    return index == MAP_NONE ? NULL : &processes->list[index];
}

#endif
