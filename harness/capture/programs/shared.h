/* What the eBPF programs and their loader both know: switches that the loader sets before it loads
 * them, and the words that both change while they run. */
#ifndef PORTWITNESS_CAPTURE_PROGRAMS_SHARED_H
#define PORTWITNESS_CAPTURE_PROGRAMS_SHARED_H

#include <stdint.h>

#include "harness/capture/outside_event.h"

enum { EBPF_RING_BYTES = 4 << 20, EBPF_PROCESSES_MAX = 16384, EBPF_THREADS_MAX = 4096 };

/* Read-only in the kernel, so the verifier leaves aside what is switched off. */
struct ebpf_switches {
    uint64_t group;      /* id of the command's control group; 0: every event is the command's */
    uint64_t pid_device; /* of the pid namespace in which pids are told; 0: the root's */
    uint64_t pid_inode;
    uint32_t group_level;  /* of the group in the hierarchy, its root is 0 */
    uint32_t stack_offset; /* of `stack` in struct task_struct; 0: no return addresses */
    uint32_t comm;         /* bpf_get_current_comm loads: newer kernels want CAP_PERFMON for it */
    uint32_t options;      /* bpf_getsockopt loads at a bind */
    uint32_t current;      /* who runs may be asked in sock_ops programs (6.10) */
    uint32_t netns;        /* bpf_get_netns_cookie loads in sock_ops programs (5.15) */
};

/* Mapped by the loader. */
struct ebpf_words {
    uint64_t lost;  /* events for which the ring had no room */
    uint32_t woken; /* the reader was woken for a ring that fills up, and has not read yet */
    uint32_t
        stack_top; /* bytes from a kernel stack's start to the user's registers; 0: not known */
};

/* The last call of a thread. Bind and post_bind run in one thread, so that nothing has to be
 * allocated for a socket that is bound: that alone would take longer than all the rest. */
struct thread_call {
    struct outside_event event; /* the socket, the caller and the addresses */
    uint32_t woken;       /* process for which the reader was woken, as far as the thread knows */
    uint64_t read_cookie; /* of the last address that was read, */
    uint16_t read_port;
    uint8_t reads;   /* and how many reads of it were reported */
    uint8_t pending; /* it was a bind; whether it succeeded is not known yet */
};

#endif
