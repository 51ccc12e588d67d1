/* Who leaves the command's control group. The kernel says where a process has come to, not where it
 * was before; so those that are in the group are remembered. */
#ifndef PORTWITNESS_CAPTURE_PROGRAMS_MOVES_H
#define PORTWITNESS_CAPTURE_PROGRAMS_MOVES_H

#include "harness/capture/programs/processes.bpf.h"

#define GROUPS_DEEP_MAX 32

struct group_climb {
    uint64_t group; /* struct cgroup; 0: above the root */
    bool is_inside;
};

/* One group and on to the one above; 1: it need not go on. */
static long climb(uint32_t number, struct group_climb *at) {
    (void)number;
    uint64_t node = pointer_at(at->group + switches.offsets.kn);
    at->is_inside = pointer_at(node + switches.offsets.id) == switches.own;
    uint64_t above = pointer_at(at->group + switches.offsets.self + switches.offsets.parent);
    at->group = above - switches.offsets.self;
    return at->is_inside || above == 0;
}

/* Is the control group (struct cgroup) the command's, or below that? */
static __always_inline bool is_inside(uint64_t group) {
    struct group_climb at = {.group = group};
    if (switches.loop) {
        bpf_loop(GROUPS_DEEP_MAX, climb, &at, 0);
        return at.is_inside;
    }
    for (uint32_t i = 0; i < GROUPS_DEEP_MAX; i++)
        if (climb(i, &at) != 0)
            break;
    return at.is_inside;
}

static __always_inline uint64_t groups_of_task(uint64_t task) {
    return pointer_at(task + switches.offsets.cgroups);
}

static __always_inline void report_left(uint64_t task) {
    struct outside_process *facts = room_for(PROCESS_ALONE);
    if (facts == NULL)
        return;
    note_process(facts, (uint64_t)pid_of_task(task) << 32, task);
    facts->kind = OUTSIDE_LEFT;
    facts->uid = UINT32_MAX;
    bpf_ringbuf_submit(facts, BPF_RB_FORCE_WAKEUP);
}

/* It has come to another group, of this hierarchy or one of version 1. */
SEC("raw_tracepoint/cgroup_attach_task")
int on_move(struct bpf_raw_tracepoint_args *context) {
    uint64_t task = context->args[2];
    uint32_t pid = word_at(task + switches.offsets.tgid);
    if (is_inside(pointer_at(groups_of_task(task) + switches.offsets.dfl_cgrp))) {
        add_member(task);
        return 0;
    }
    const uint64_t *began = bpf_map_lookup_elem(&members, &pid);
    if (began == NULL || *began != start_of_task(task))
        return 0;
    bpf_map_delete_elem(&members, &pid);
    report_left(task);
    return 0;
}

/* A child is in the group of its parent, unless clone3 was told another one. */
SEC("raw_tracepoint/sched_process_fork")
int on_fork(struct bpf_raw_tracepoint_args *context) {
    if (bpf_current_task_under_cgroup(&groups, 0) != 1)
        return 0;
    uint64_t child = context->args[1];
    uint64_t group = groups_of_task(child);
    if (word_at(child + switches.offsets.tgid) == (uint32_t)(bpf_get_current_pid_tgid() >> 32))
        return 0;
    if (group == groups_of_task(context->args[0]) ||
        is_inside(pointer_at(group + switches.offsets.dfl_cgrp)))
        add_member(child);
    else
        report_left(child);
    return 0;
}

#endif
