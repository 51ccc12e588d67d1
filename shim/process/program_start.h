/* What every way of starting a program has in common: look at the program, put the environment
 * right, leave a record before it is too late. */
#ifndef PORTWITNESS_PROCESS_PROGRAM_START_H
#define PORTWITNESS_PROCESS_PROGRAM_START_H

#include <alloca.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include "shim/process/environment.h"

/* Above this an environment goes into a mapping of its own: the stacks of threads and of signal
 * handlers can be small. What a vfork child leaves behind in its parent, the parent gives back. */
#define START_STACK_BYTES 2048u

struct program_start {
    struct program_facts facts;
    struct environment_plan plan;
    int number; /* enum call_number */
    const void *site;
    uint64_t begin_ns;
    int blind;       /* enum pw_blind, 0: the shim can enter */
    bool on;         /* a trace is asked for */
    bool in_child;   /* posix_spawn: the program runs in another process */
    bool left_vfork; /* gate_leave_vfork had something to say */
    size_t space;    /* bytes that the new environment needs, 0: it can stay as it is */
};

/* Looks at the program and plans its environment; writes the records EXEC and BLIND_SPOT. For a
 * search along PATH, `search_path` is the list, else NULL. */
void program_start_begin(struct program_start *start, const char *name, const char *search_path,
                         char *const *envp, int number, const void *site);

/* The same for a program given by descriptor. */
void program_start_begin_descriptor(struct program_start *start, int fd, char *const *envp,
                                    int number, const void *site);

/* Records this program itself, where no exec wrapper has looked at it: the first of a run without
 * `portwitness run`. */
void program_start_record_own(void);

/* After a start that failed: the record EXEC_FAILED. Keeps errno. */
void program_start_failed(const struct program_start *start, int error);

/* After posix_spawn: which process it became. */
void program_start_spawned(const struct program_start *start, int pid);

/* A mapping for a large environment, NULL where there is no memory for it. */
void *program_start_map(size_t size);

/* The environment to start with. A macro, since the space may be on the caller's stack: it must
 * live until the call returns. */
#define PROGRAM_START_ENVIRONMENT(start, given)                                                    \
    ((start)->space == 0                                                                           \
         ? (char **)(uintptr_t)(given)                                                             \
         : program_start_environment(start, (start)->space <= START_STACK_BYTES                    \
                                                ? alloca((start)->space)                           \
                                                : program_start_map((start)->space)))
char **program_start_environment(const struct program_start *start, void *space);

void program_start_unmap(void *space, size_t size);

/* Gives the mapping back, if there was one. */
void program_start_end(const struct program_start *start, char **environment);

/* The list that execvp(3) searches, in the guest's memory. */
const char *program_search_path(void);

#endif
