/*
 * Programs that put a seccomp filter on themselves (seccomp(2)). Such a filter knows the calls that
 * the program makes, and may answer any other by a signal. So from then on the shim makes no system
 * call of its own there, nor in what the program forks and executes: it records what memory and the
 * vDSO's clock can show, and the process is a blind spot.
 */
#ifndef PORTWITNESS_PROCESS_SANDBOX_H
#define PORTWITNESS_PROCESS_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/shared/own_status.h"
#include "shim/shared/raw_syscall.h"

/* Whether no system call may be made here beside the guest's own. */
static inline bool sandbox_is_on(void) { return raw_syscalls_are_forbidden(); }

/* When the shim starts in a program, before all else: was the program started under a filter that
 * is not one of its surroundings (a container's)? Reads /proc/self/status with calls that the
 * loader has just made itself, and nothing where no trace is asked for. What the file says beside
 * is in `own`. `is_first`: this is known to be the first thread of its process. */
void sandbox_begin(bool is_first, struct own_status *own);

/* Around a call of the guest's that puts a filter on this thread, or on all (`everywhere`). The
 * first gathers what cannot be asked for afterwards. `installed`: the kernel took the filter. */
struct sandbox_change {
    bool is_first; /* no filter of the guest's was there before */
    bool everywhere;
    uint32_t pid;
};
void sandbox_before_filter(struct sandbox_change *change, bool everywhere);
void sandbox_after_filter(const struct sandbox_change *change, bool installed, int call,
                          const void *site);

/* Around a change of the guest's socket that has to be undone: in between this thread may make its
 * calls although another one puts a filter on itself, and one that puts a filter on all waits a
 * moment. false where the thread may make none. */
bool sandbox_pledge(void);
void sandbox_pledge_kept(void);

/* Writes the blind spot of a process that was forked under the filter. */
void sandbox_record_forked(void);

/* A cookie for a socket that was made here, which the kernel cannot be asked about: no number that
 * the kernel gives, and none that another process makes up. */
uint64_t sandbox_cookie(void);

#endif
