/*
 * Who this process is in the trace. Every wrapper passes the gate first: it starts the shim where
 * the constructor has not run yet, notices a fork that nobody announced, and knows a vfork child.
 */
#ifndef PORTWITNESS_PROCESS_PROCESS_H
#define PORTWITNESS_PROCESS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/shared/recorder.h"

enum gate {
    GATE_CLOSED, /* nothing is recorded: call the real function and no more */
    GATE_OPEN,
    GATE_VFORK /* in a vfork child: memory is the parent's, so tables must not change */
};

enum gate gate(void);

/* The serial of this process, 0 where nothing is recorded. A forked child that has none yet is
 * entered in the trace here. */
uint64_t process_serial(void);

/* The kernel's id of this process, asked for each time; 0 where that may not be. */
uint32_t process_pid_now(void);

/* The kernel's id of the calling thread, cached. */
uint32_t process_thread(void);

/* The effective (file system) user, cached until a call changes it. */
uint32_t process_uid(void);
void process_uid_changed(bool per_thread);

/* Where the kernel put the strings that this program was started with: arguments, then environment.
 */
struct start_strings {
    const char *arguments;
    const char *arguments_end;
    const char *environment;
    const char *environment_end;
};
const struct start_strings *process_start_strings(void);

/* Enters this program image in the trace; once, from start.c, when the trace is attached. */
void process_begin_image(void);

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

/* Opens the gate; from start.c. */
void process_open_gate(void);

/* A vfork child tells of a mapping that it leaves in its parent's memory when it executes a
 * program; the parent, which goes on in the same thread, gives it back. NULL: nothing any more. */
void process_vfork_leaves(void *space, size_t size);

/* Under a filter of the guest's own nobody can be asked whether this still is the vfork child, so
 * the child itself says when it leaves its parent's memory: before it executes a program or ends.
 * true where that had to be said; process_return_to_vfork takes it back when the exec has failed.
 */
bool process_leave_vfork(void);
void process_return_to_vfork(void);

/* Marks the thread before vfork and returns the real function; called by vfork.S. */
void *vfork_prepare(void) __attribute__((visibility("hidden")));

#endif
