/* How processes begin and end, in the trace: images, forks, exits. */
#ifndef PORTWITNESS_PROCESS_PROCESS_H
#define PORTWITNESS_PROCESS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/shared/own_status.h"
#include "shim/shared/proc_mount.h"
#include "shim/shared/recorder.h"

/* What a program that starts has asked of the kernel about itself. */
struct process_look {
    struct own_status own;
    struct proc_mount proc;
};

/* Enters this program image in the trace; once, from start.c, when the trace is attached. */
void process_begin_image(const struct process_look *look);

/* Around a fork: gives the child its serial in advance and begins the parent's record. */
struct fork_record {
    struct record record;
    bool begun;
    uint64_t child;
    uint64_t place;       /* of the child, policy `seeded` */
    uint64_t outer_child; /* of a fork that a signal handler's fork interrupted */
    uint64_t outer_begin;
};
void process_before_fork(struct fork_record *fork_record, int call, const void *site);
void process_after_fork(struct fork_record *fork_record, int pid);

/* Records that this process ends, once; `status` as of waitpid(2), -1 where it is not known. */
void process_ends(int call, int status);

/* Before vfork, whose child shares this memory: what has to be recorded for it beforehand. */
void process_before_vfork(void);

#endif
