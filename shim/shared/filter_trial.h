/* Seccomp filters that come from outside, such as a container's: how many there are, and whether
 * they let through what the shim adds. Used by the shim and by `run`. */
#ifndef PORTWITNESS_SHARED_FILTER_TRIAL_H
#define PORTWITNESS_SHARED_FILTER_TRIAL_H

#include <stdbool.h>

/* The number of seccomp filters on the calling thread, from /proc/self/status (proc(5); counted
 * since Linux 5.9). 0: none. UINT_MAX: some, and /proc is not there to count them. */
unsigned filter_count(void);

/* The same, with what else the file says. `is_first`: the caller is known to be the first thread of
 * its process, whose own file is found faster. */
struct own_status;
unsigned filter_count_and_status(bool is_first, struct own_status *own);

/* Makes each of the shim's own system calls once in a child process, which a filter may end without
 * harm to us. true where the child came through. Arguments are such that nothing happens. No
 * SIGCHLD comes of it. */
bool filter_trial(void);

#endif
