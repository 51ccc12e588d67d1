/* What happens to the sockets of a command, whatever it is written in, as eBPF programs at its
 * control group report it: Go, static programs, raw system calls and io_uring as well. Needs Linux
 * 5.8, CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN, and a cgroup2 that may be written. Nothing
 * stays behind when the process is killed: the programs go with its descriptors. */
#ifndef PORTWITNESS_CAPTURE_EBPF_H
#define PORTWITNESS_CAPTURE_EBPF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/capture/capture_group.h"
#include "harness/capture/outside_event.h"

struct ebpf_loaded;

struct capture_ebpf {
    struct capture_group group; /* that the command is to be put in, by capture_group_enter */
    uint64_t token[2];          /* with which the shim makes what it records itself */
    struct ebpf_loaded *loaded; /* NULL: closed */
    bool options;               /* events of binds have REUSEADDR and REUSEPORT */
    bool addresses;             /* events have return addresses */
    bool execs;                 /* there are events OUTSIDE_EXEC */
};

/* Makes the control group, loads the programs and attaches them to it; for `host` to the root, so
 * that the sockets of all processes are seen. false, with one sentence for the user in why, if that
 * cannot be had; nothing is left then. */
bool capture_ebpf_open(struct capture_ebpf *capture, bool host, char why[CAPTURE_WHY_BYTES]);

/* A descriptor that is readable when a process executed a program, when one is seen for the first
 * time, and when the ring fills up. All else waits to be taken at the reader's leisure. */
int capture_ebpf_file(const struct capture_ebpf *capture);

/* Passes on the events that wait, in order, without waiting: `most`, and a few more as some come
 * together. What is left waits in the ring. Were there any? */
bool capture_ebpf_take(struct capture_ebpf *capture, size_t most, outside_take *take, void *with);

/* A bind that failed is reported at the next call of its thread on any socket, or at a release in
 * it; the read of an address that the thread has just bound with the socket's release, or at the
 * thread's next call on another. This passes on what still waits, if it is older than `age_ns`; to
 * be called now and then, and behind the last process's end. */
void capture_ebpf_settle(struct capture_ebpf *capture, uint64_t age_ns, outside_take *take,
                         void *with);

/* How many events were lost since this was asked last, for the ring was full. */
uint64_t capture_ebpf_lost(struct capture_ebpf *capture);

/* Detaches the programs and removes the group, if nothing runs in it any more. */
void capture_ebpf_close(struct capture_ebpf *capture);

#endif
