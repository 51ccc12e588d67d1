/* What program a process runs, and where it is loaded. */
#ifndef PORTWITNESS_CAPTURE_REMOTE_PROGRAM_H
#define PORTWITNESS_CAPTURE_REMOTE_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct remote_program {
    int file;      /* open for reading on /proc/PID/exe, close-on-exec; the caller's to close */
    uint64_t bias; /* what was added to its addresses as linked */
    bool has_bias; /* false: the process could not be asked; bias is 0, which is right for a program
                      that is not position independent */
};

/* Opens the program of a process as it is now. false, with errno set, where the process is gone or
 * may not be looked at (ptrace(2), "Ptrace access mode checking"), or runs no program. */
bool remote_program_open(pid_t pid, struct remote_program *program);

#endif
