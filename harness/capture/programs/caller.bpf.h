/* Who makes a call. */
#ifndef PORTWITNESS_CAPTURE_PROGRAMS_CALLER_H
#define PORTWITNESS_CAPTURE_PROGRAMS_CALLER_H

#include "harness/capture/programs/maps.bpf.h"

static __always_inline uint64_t process_told(uint64_t thread) {
    if (switches.pid_inode == 0)
        return thread;
    struct bpf_pidns_info info = {0};
    if (bpf_get_ns_current_pid_tgid(switches.pid_device, switches.pid_inode, &info, sizeof info) !=
        0)
        return 0;
    return (uint64_t)info.tgid << 32 | info.pid;
}

static __always_inline uint64_t current_process(void) {
    return process_told(bpf_get_current_pid_tgid());
}

static __always_inline bool is_ours(void) {
    return switches.group == 0 ||
           bpf_get_current_ancestor_cgroup_id((int)switches.group_level) == switches.group;
}

static __always_inline void note_time(struct outside_event *event) {
    event->begin_ns = bpf_ktime_get_ns();
    event->end_ns = event->begin_ns;
}

/* The caller and the time; the addresses are the walk's business. */
static __always_inline void note_caller(struct outside_event *event, uint64_t process) {
    note_time(event);
    event->pid = process >> 32;
    event->thread = (uint32_t)process;
    event->uid = (uint32_t)bpf_get_current_uid_gid();
    event->ours = is_ours();
    event->addresses = 0;
}

#endif
