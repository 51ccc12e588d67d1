/*
 * The shim's settings, and following: what a program that is about to be started must find in its
 * environment, and how that program gets back the environment that it was given.
 */
#ifndef PORTWITNESS_PROCESS_ENVIRONMENT_H
#define PORTWITNESS_PROCESS_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "shim/shared/program_file.h"

enum environment {
    ENVIRONMENT_NONE, /* no trace is asked for */
    ENVIRONMENT_READ,
    ENVIRONMENT_TOO_LONG /* ... one by a path that is too long */
};

/* Reads PORTWITNESS_TRACE and the like from environ, and takes out again what an exec wrapper had
 * put back (the marker PORTWITNESS_RESTORED says what). */
enum environment environment_read(void);

/* The shim's path as the loader was given it, but absolute; a bare name where it had no slash. */
const char *environment_shim(void);

/* The trace's absolute path. */
const char *environment_trace(void);
bool environment_is_quiet(void);

/* The trace was made by `run` or by a process before this one, so it is not created again if it is
 * gone: what went into a second one would be missed silently. */
bool environment_is_supervised(void);

/* The value of PORTWITNESS_RUN that this program was started with, "" without `run`. */
const char *environment_run(void);

/* Following is on: cleared environments get the variables back. */
bool environment_follows(void);

/* From now on programs started from here do not warn. */
void environment_be_quiet(void);

/* Around what may make system calls impossible. The former looks for our variables in environ;
 * after the second, what is executed with this process's own environment has nothing to do with us:
 * it finds no trace, and its loader no library of ours. That is done in place, without a system
 * call, and only between `from` and `to`, where the kernel put the strings that the program was
 * started with: others may be anywhere. */
void environment_find_own(void);
void environment_release(const char *from, const char *to);

/* What has to change in an environment for one program. */
struct environment_plan {
    char *const *given;
    const struct program_facts *facts;
    unsigned restored; /* bits for the marker */
    bool changed;
    bool lost;      /* the variables are gone and following is off */
    bool drop;      /* the program's own loader would complain of the shim: take it out */
    bool useless;   /* no shim will run in the program */
    bool elsewhere; /* it names another trace, as that of another run does */
    bool at_once; /* the program must find it in its environment: in a shell's command it is late */
    const char *preload; /* the value in the guest's memory, or NULL */
    size_t preload_length;
    size_t shim_at, shim_length; /* the shim in it, length 0: it is not there */
    size_t entries;
    size_t bytes;
};

/* Examines `envp` (NULL counts as empty) for a program. Returns how many bytes environment_build
 * needs, 0 where the environment can stay as it is, or cannot be read. */
size_t environment_plan(struct environment_plan *plan, char *const *envp,
                        const struct program_facts *facts);

/* Writes the new environment into `space`, which must be aligned for pointers. NULL where the given
 * one cannot be read any more. */
char **environment_build(const struct environment_plan *plan, void *space);

/* The same for a shell started by libc, as a prefix of its command ("export A='..'; ", with NUL).
 * `space` is as for environment_build. Returns its length, or what it would be where that is not
 * below `size`; 0 where it cannot be made. */
size_t environment_prefix(const struct environment_plan *plan, void *space, char *prefix,
                          size_t size);

/* The value of a variable in an environment that is known to be sound, or NULL. */
const char *environment_get(char *const *envp, const char *name);

/* Whether the shim and the trace can be reached by a program started now: 0, or
 * PW_BLIND_UNREACHABLE (after chroot) or PW_BLIND_NO_ACCESS (after a privilege drop). */
int environment_obstacle(void);

#endif
