/* Return addresses of a call that a filter has notified of, while its thread waits. */
#ifndef PORTWITNESS_RUN_NOTIFIED_WALK_H
#define PORTWITNESS_RUN_NOTIFIED_WALK_H

#include <pthread.h>
#include <stdbool.h>

#include "harness/capture/go_walk.h"
#include "harness/capture/notify_server.h"
#include "harness/capture/remote_program.h"

enum { NOTIFIED_PROGRAMS = 64 };

/* Begins with no program (NOTIFIED_WALK_NONE). Walks are made by one thread. */
#define NOTIFIED_WALK_NONE                                                                         \
    { .lock = PTHREAD_MUTEX_INITIALIZER }
struct notified_walk {
    pthread_mutex_t lock; /* of the programs below */
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

/* The program of that process, if it has made a call lately: a descriptor of the caller's own. For
 * any thread. `with` as above. */
bool notified_walk_program(void *with, pid_t pid, struct remote_program *program);

/* Closes what is open. */
void notified_walk_close(struct notified_walk *walk);

#endif
