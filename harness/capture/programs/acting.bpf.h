/* Whose call it is: a `run` that is notified makes the calls of its programs itself, and the kernel
 * has that run in their place. */
#ifndef PORTWITNESS_CAPTURE_PROGRAMS_ACTING_H
#define PORTWITNESS_CAPTURE_PROGRAMS_ACTING_H

#include "harness/capture/acting.h"
#include "harness/capture/programs/processes.bpf.h"

struct caller {
    uint64_t process; /* as process_told has it; 0: not known */
    bool is_acted_for;
};

/* Not every program may call the helper. */
static __always_inline long read_name(char name[ACTING_NAME_BYTES]) {
    if (switches.offsets.stack == 0)
        return bpf_get_current_comm(name, ACTING_NAME_BYTES);
    return bpf_probe_read_kernel(name, ACTING_NAME_BYTES,
                                 (void *)(bpf_get_current_task() + switches.offsets.comm));
}

/* The pid in the name of the thread that runs. false: it acts for nobody. */
static __always_inline bool read_acting(uint32_t *pid) {
    char name[ACTING_NAME_BYTES] = "";
    *pid = 0;
    if (read_name(name) != 0)
        return false;
#pragma unroll
    for (uint32_t i = 0; i < ACTING_FOR_LENGTH; i++)
        if (name[i] != ACTING_FOR[i])
            return false;
#pragma unroll
    for (uint32_t i = ACTING_FOR_LENGTH; i < ACTING_NAME_BYTES - 1; i++) {
        uint32_t digit = (uint32_t)name[i] - '0';
        if (digit > 9)
            break;
        *pid = *pid * 10 + digit;
    }
    return true;
}

/* It has the pids of its own namespace, which need not be the one in which pids are told. */
static __always_inline bool has_our_pids(uint64_t process) {
    if (process == 0 || switches.pid_inode != 0 || switches.offsets.stack == 0)
        return process != 0;
    uint64_t pid = pointer_at(bpf_get_current_task() + switches.offsets.thread_pid);
    return word_at(pid + switches.offsets.level) == 0;
}

/* What our own `run` does for others it reports itself. */
static __always_inline struct caller caller_of(uint64_t thread) {
    uint32_t pid;
    struct caller caller = {.process = process_told(thread)};
    if (!read_acting(&pid) || caller.process >> 32 == switches.run)
        return caller;
    caller.is_acted_for = true;
    if (pid == 0 || !has_our_pids(caller.process))
        caller.process = 0;
    else
        caller.process = (uint64_t)pid << 32 | pid;
    return caller;
}

/* Of whom a call is made for the kernel has nothing to say at that call. */
static __always_inline void announce_caller(struct thread_call *call, struct caller caller) {
    if (!caller.is_acted_for)
        announce(call, caller.process);
}

/* Who made the call of the event, and from where. */
static __always_inline void note_call(struct outside_event *event, struct caller caller) {
    note_caller(event, caller.process);
    if (!caller.is_acted_for) {
        walk(event);
        return;
    }
    event->uid = UINT32_MAX;
    if (caller.process == 0)
        __sync_fetch_and_add(&words.lost, 1);
}

#endif
