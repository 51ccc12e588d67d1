/* Programs that are executed below the command's control group. */
#ifndef PORTWITNESS_CAPTURE_PROGRAMS_EXECUTES_H
#define PORTWITNESS_CAPTURE_PROGRAMS_EXECUTES_H

#include "harness/capture/programs/caller.bpf.h"
#include "harness/capture/programs/maps.bpf.h"

/* The reader is woken, so that it finds the process alive. Whether the shim is in the new program
 * it has to say again. */
SEC("raw_tracepoint/sched_process_exec")
int on_exec(void *context) {
    (void)context;
    uint8_t one = 1;
    if (bpf_current_task_under_cgroup(&groups, 0) != 1)
        return 0;
    uint64_t process = current_process();
    uint32_t pid = process >> 32;
    bpf_map_delete_elem(&entered, &pid);
    bpf_map_update_elem(&seen, &pid, &one, BPF_ANY);
    struct outside_event *event = room_for(SHORT_EVENT);
    if (event == NULL)
        return 0;
    __builtin_memset(event, 0, SHORT_EVENT);
    note_caller(event, process);
    event->kind = OUTSIDE_EXEC;
    event->ours = 1;
    bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
    return 0;
}

#endif
