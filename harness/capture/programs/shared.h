/* What the eBPF programs and their loader both know: switches that the loader sets before it loads
 * them, and the words that both change while they run. */
#ifndef PORTWITNESS_CAPTURE_PROGRAMS_SHARED_H
#define PORTWITNESS_CAPTURE_PROGRAMS_SHARED_H

#include <stdint.h>

#include "harness/capture/kernel_offsets.h"
#include "harness/capture/outside_event.h"

/* Each page of the ring costs at the start of a run; half as many are taken where memory is short.
 */
enum { EBPF_RING_BYTES = 8 << 20, EBPF_RING_BYTES_LEAST = 512 << 10, EBPF_WAKE_BYTES = 128 << 10 };
enum { EBPF_SEEN_MAX = 4096, EBPF_THREADS_MAX = 4096 };
enum { EBPF_MEMBERS_MAX = 8192 };

/* Read-only in the kernel, so the verifier leaves aside what is switched off. */
struct ebpf_switches {
    uint64_t group;      /* id of the command's control group; 0: every event is the command's */
    uint64_t own;        /* the same id, where what leaves the group is not seen; 0: it is */
    uint64_t pid_device; /* of the pid namespace in which pids are told; 0: the root's */
    uint64_t pid_inode;
    uint64_t token[2];    /* in the fifth and sixth argument: the shim records the call itself */
    uint32_t run;         /* pid of the `run` that reads the events */
    uint32_t group_level; /* of the group in the hierarchy, its root is 0 */
    uint32_t options;     /* bpf_getsockopt loads at a bind */
    uint32_t current;     /* who runs may be asked in sock_ops programs (6.10) */
    uint32_t netns;       /* bpf_get_netns_cookie loads in sock_ops programs (5.15) */
    uint32_t loop;        /* bpf_loop loads (5.17) */
    struct kernel_offsets offsets; /* all 0: no return addresses, and nothing of processes */
};

/* Mapped by the loader. */
struct ebpf_words {
    uint64_t lost;  /* events for which the ring had no room */
    uint32_t woken; /* the reader was woken for what waits in the ring, and has not read yet */
    uint32_t
        stack_top; /* bytes from a kernel stack's start to the user's registers; 0: not known */
};

/* The last call of a thread. Bind and post_bind run in one thread, so that nothing has to be
 * allocated for a socket that is bound: that alone would take longer than all the rest. */
struct thread_call {
    struct outside_event event; /* the socket, the caller and the addresses */
    uint64_t kept_ns;     /* when the socket's address was read, which is not reported yet; 0 */
    uint64_t read_cookie; /* of the last address that was read, */
    uint16_t read_port;
    uint8_t reads;      /* and how many reads of it were reported */
    uint8_t pending;    /* it was a bind; whether it succeeded is not known yet */
    uint32_t announced; /* process that the reader knows, as far as the thread can tell */
};

#endif
