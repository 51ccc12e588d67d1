/* The program file of a process that may have ended. */
#ifndef PORTWITNESS_RUN_CAPTURED_PROGRAM_H
#define PORTWITNESS_RUN_CAPTURED_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

#include "harness/capture/outside_event.h"
#include "harness/capture/remote_program.h"

/* Where else the program of a process may be open, as somebody looked at it while it ran. */
struct captured_elsewhere {
    bool (*find)(void *with, pid_t pid, struct remote_program *program); /* NULL: nowhere */
    void *with;
};

/* Opens it: as the process with that pid shows it (0: that runs another one by now), else as it is
 * open elsewhere, else by the path that it was executed by ("": not known). A file by its path may
 * be another one by now, or in another mount namespace: whoever asks for lines finds out
 * (outside_frames_find). false: it cannot be had. */
bool captured_program_open(pid_t pid, const char *path, struct captured_elsewhere elsewhere,
                           struct remote_program *program);

#endif
