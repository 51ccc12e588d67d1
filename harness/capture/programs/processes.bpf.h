/* What processes are, for a reader that comes too late to find them in /proc. */
#ifndef PORTWITNESS_CAPTURE_PROGRAMS_PROCESSES_H
#define PORTWITNESS_CAPTURE_PROGRAMS_PROCESSES_H

#include "harness/capture/programs/caller.bpf.h"
#include "harness/capture/programs/maps.bpf.h"
#include "harness/capture/programs/walk.bpf.h"

#define PID_NAMESPACES_MAX 8 /* one in another; the kernel has up to 32 */
#define NS_PER_TICK 10000000 /* USER_HZ is 100 */
#define PROCESS_ALONE offsetof(struct outside_process, path)

/* include/linux/pid.h, struct upid. */
struct pid_number {
    int32_t number;
    uint64_t namespace;
};

static __always_inline uint64_t pointer_at(uint64_t address) {
    uint64_t value = 0;
    bpf_probe_read_kernel(&value, sizeof value, (void *)address);
    return value;
}

static __always_inline uint32_t word_at(uint64_t address) {
    uint32_t value = 0;
    bpf_probe_read_kernel(&value, sizeof value, (void *)address);
    return value;
}

/* The process of that task, as it is called in the pid namespace in which pids are told; 0: it is
 * not in it. */
static __always_inline uint32_t pid_of_task(uint64_t task) {
    if (switches.pid_inode == 0)
        return word_at(task + switches.offsets.tgid);
    uint64_t leader = pointer_at(task + switches.offsets.group_leader);
    uint64_t pid = pointer_at(leader + switches.offsets.thread_pid);
    uint32_t level = word_at(pid + switches.offsets.level);
    for (uint32_t i = 0; i < PID_NAMESPACES_MAX && i <= level; i++) {
        struct pid_number number = {0};
        bpf_probe_read_kernel(&number, sizeof number,
                              (void *)(pid + switches.offsets.numbers + i * sizeof number));
        if (word_at(number.namespace + switches.offsets.ns + switches.offsets.inum) ==
            switches.pid_inode)
            return (uint32_t)number.number;
    }
    return 0;
}

/* The process as it is called in the innermost pid namespace that it is in. */
static __always_inline void note_inner_pid(struct outside_process *facts, uint64_t leader) {
    struct pid_number number = {0};
    uint64_t pid = pointer_at(leader + switches.offsets.thread_pid);
    uint64_t level = word_at(pid + switches.offsets.level);
    bpf_probe_read_kernel(&number, sizeof number,
                          (void *)(pid + switches.offsets.numbers + level * sizeof number));
    facts->inner_pid = (uint32_t)number.number;
    facts->inner_namespace =
        word_at(number.namespace + switches.offsets.ns + switches.offsets.inum);
}

/* The task may be another thread than the first. */
static __always_inline uint64_t start_of_task(uint64_t task) {
    uint64_t leader = pointer_at(task + switches.offsets.group_leader);
    return pointer_at(leader + switches.offsets.start_boottime);
}

/* It is in the command's control group. */
static __always_inline void add_member(uint64_t task) {
    uint32_t pid = word_at(task + switches.offsets.tgid);
    uint64_t began = start_of_task(task);
    bpf_map_update_elem(&members, &pid, &began, BPF_ANY);
}

static __always_inline void note_process(struct outside_process *facts, uint64_t process,
                                         uint64_t task) {
    facts->ours = 1;
    facts->length = 0;
    facts->pid = process >> 32;
    facts->thread = (uint32_t)process;
    facts->uid = (uint32_t)bpf_get_current_uid_gid();
    facts->begin_ns = bpf_ktime_get_ns();
    facts->start_time = 0;
    facts->parent = 0;
    facts->inner_pid = 0;
    facts->inner_namespace = 0;
    facts->comm[0] = '\0';
    if (switches.offsets.stack == 0)
        return;
    uint64_t leader = pointer_at(task + switches.offsets.group_leader);
    facts->start_time = start_of_task(task) / NS_PER_TICK;
    facts->parent = pid_of_task(pointer_at(leader + switches.offsets.real_parent));
    note_inner_pid(facts, leader);
    bpf_probe_read_kernel(facts->comm, sizeof facts->comm, (void *)(task + switches.offsets.comm));
}

/* A function of its own, which is verified once in a program, as is each that is not static. */
__attribute__((noinline)) int report_process(uint64_t process) {
    if (!switches.current)
        return 0;
    struct outside_process *facts = room_for(PROCESS_ALONE);
    if (facts == NULL)
        return 0;
    note_process(facts, process, bpf_get_current_task());
    facts->kind = OUTSIDE_PROCESS;
    facts->ours = is_ours();
    bpf_ringbuf_submit(facts, wake_up());
    return 0;
}

/* At the first call of a process the reader is woken, so that it finds it alive. `call` remembers
 * the process, which is quicker than to look it up. */
static __always_inline void announce(struct thread_call *call, uint64_t process) {
    uint8_t one = 1;
    uint32_t pid = process >> 32;
    if (pid == 0 || call->announced == pid)
        return;
    call->announced = pid;
    if (bpf_map_lookup_elem(&seen, &pid) != NULL)
        return;
    bpf_map_update_elem(&seen, &pid, &one, BPF_ANY);
    report_process(process);
}

/* struct linux_binprm, and the arguments as the new program finds them. */
static __always_inline void note_program(struct outside_process *facts, uint64_t binprm) {
    facts->path[0] = '\0';
    if (switches.offsets.stack == 0)
        return;
    bpf_probe_read_kernel_str(facts->path, sizeof facts->path,
                              (void *)pointer_at(binprm + switches.offsets.interp));
    uint64_t memory = pointer_at(bpf_get_current_task() + switches.offsets.mm);
    uint64_t begin = pointer_at(memory + switches.offsets.arg_start);
    uint64_t length = pointer_at(memory + switches.offsets.arg_end) - begin;
    if (length > sizeof facts->arguments)
        length = sizeof facts->arguments;
    if (bpf_probe_read_user(facts->arguments, (uint32_t)length, (void *)begin) == 0)
        facts->length = (uint16_t)length;
}

/* Programs that are executed below the command's control group. */
SEC("raw_tracepoint/sched_process_exec")
int on_exec(struct bpf_raw_tracepoint_args *context) {
    uint8_t one = 1;
    if (bpf_current_task_under_cgroup(&groups, 0) != 1)
        return 0;
    uint64_t process = current_process();
    uint32_t pid = process >> 32;
    bpf_map_update_elem(&seen, &pid, &one, BPF_ANY);
    if (switches.own != 0)
        add_member(bpf_get_current_task());
    if (switches.offsets.stack != 0 && words.stack_top == 0)
        find_stack_top();
    struct outside_process *facts = room_for(sizeof *facts);
    if (facts == NULL)
        return 0;
    note_process(facts, process, bpf_get_current_task());
    facts->kind = OUTSIDE_EXEC;
    note_program(facts, context->args[2]);
    if (facts->comm[0] == '\0')
        bpf_get_current_comm(facts->comm, sizeof facts->comm);
    bpf_ringbuf_submit(facts, BPF_RB_FORCE_WAKEUP);
    return 0;
}

#endif
