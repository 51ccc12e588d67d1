/* Return addresses of a call that a filter has notified of, while its thread waits. */
#ifndef PORTWITNESS_RUN_NOTIFIED_WALK_H
#define PORTWITNESS_RUN_NOTIFIED_WALK_H

#include "harness/capture/go_walk.h"
#include "harness/capture/notify_server.h"
#include "harness/capture/remote_program.h"

enum { NOTIFIED_PROGRAMS = 8 };

/* Zero-initialized it knows no program. For one thread. */
struct notified_walk {
    struct go_programs programs;
    struct notified_program {
        pid_t pid; /* 0: free */
        dev_t device;
        ino_t inode;
        struct remote_program program;
    } latest[NOTIFIED_PROGRAMS];
    unsigned next; /* to be replaced */
};

/* As notify_frames; `with` is a struct notified_walk. */
unsigned notified_walk(void *with, const struct notify_registers *registers, uint64_t *address,
                       unsigned most);

/* Closes what is open. */
void notified_walk_close(struct notified_walk *walk);

#endif
