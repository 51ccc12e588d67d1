/* The maps, and the way of an event into the ring. */
#ifndef PORTWITNESS_CAPTURE_PROGRAMS_MAPS_H
#define PORTWITNESS_CAPTURE_PROGRAMS_MAPS_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_helpers.h>

#include "harness/capture/outside_event.h"
#include "harness/capture/programs/shared.h"

#define AF_INET 2
#define AF_INET6 10
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define SHORT_EVENT offsetof(struct outside_event, address)
#define COPY(to, from, size) __builtin_memcpy(to, from, size)

#define READS_REPORTED 2
/* What is kept with a socket, where something must be. */
struct kept_socket {
    uint32_t pid, thread; /* that bound it */
    uint8_t by_number;
    uint8_t released;
};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, EBPF_RING_BYTES);
} ring SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct kept_socket);
} sockets SEC(".maps");

/* TCP sockets whose connection is being made. */
struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct outside_event);
} connections SEC(".maps");

/* By thread, as bpf_get_current_pid_tgid has it. Where more threads than this make calls at a time,
 * the request of a bind may be gone before its end is known; a bind that failed is lost then. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, EBPF_THREADS_MAX);
    __type(key, uint64_t);
    __type(value, struct thread_call);
} calls SEC(".maps");

/* What a new entry of it begins with, which is too large for a program's stack. */
const volatile struct thread_call no_call SEC(".rodata.empty") = {.pending = 0};

/* Processes that the shim is in, by the reader's word: of these it needs no connect, listen or
 * read. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, EBPF_PROCESSES_MAX);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, uint32_t);
    __type(value, uint8_t);
} entered SEC(".maps");

/* Processes of which the reader was woken. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, EBPF_PROCESSES_MAX);
    __type(key, uint32_t);
    __type(value, uint8_t);
} seen SEC(".maps");

/* The command's control group, for whoever executes a program. */
struct {
    __uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, uint32_t);
} groups SEC(".maps");

const volatile struct ebpf_switches switches = {.options = 1};
struct ebpf_words words;

/* Room for an event of `size` bytes, a constant; NULL where the ring is full, which is counted. */
static __always_inline struct outside_event *room_for(uint64_t size) {
    struct outside_event *event = bpf_ringbuf_reserve(&ring, size, 0);
    if (event == NULL)
        __sync_fetch_and_add(&words.lost, 1);
    return event;
}

static __always_inline bool is_entered(uint32_t pid) {
    return pid != 0 && bpf_map_lookup_elem(&entered, &pid) != NULL;
}

/* A wake-up costs as much as an event, so there is one for the first event of a process, which the
 * reader looks at while it lives, and one when a quarter of the ring is full. `woken`, where it is
 * not NULL, remembers the process, which is quicker than to look it up. */
static __always_inline uint64_t wake_up(uint32_t pid, uint32_t *woken) {
    uint8_t one = 1;
    if (pid != 0 && (woken == NULL || *woken != pid)) {
        if (woken != NULL)
            *woken = pid;
        if (bpf_map_lookup_elem(&seen, &pid) == NULL) {
            bpf_map_update_elem(&seen, &pid, &one, BPF_ANY);
            return BPF_RB_FORCE_WAKEUP;
        }
    }
    if (words.woken || bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < EBPF_RING_BYTES / 4)
        return BPF_RB_NO_WAKEUP;
    words.woken = 1;
    return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void report_sized(const struct outside_event *facts, uint8_t kind,
                                         uint64_t size, uint32_t *woken) {
    struct outside_event *event = room_for(size);
    if (event == NULL)
        return;
    COPY(event, facts, size);
    event->kind = kind;
    bpf_ringbuf_submit(event, wake_up(facts->pid, woken));
}

/* Copies the facts of a call into the ring, as an event of this kind. Few events have addresses,
 * which are more than half of one. */
static __always_inline void report(const struct outside_event *facts, uint8_t kind,
                                   uint32_t *woken) {
    if (facts->addresses != 0)
        report_sized(facts, kind, sizeof(struct outside_event), woken);
    else
        report_sized(facts, kind, SHORT_EVENT, woken);
}

static __always_inline void set_ipv4(uint8_t to[16], uint32_t address) {
    uint32_t *word = (uint32_t *)to;
    word[0] = 0;
    word[1] = 0;
    word[2] = __builtin_bswap32(0xffff);
    word[3] = address;
}

/* A macro, for `from` may be a field of a context, which the verifier lets be read word by word. */
#define SET_IPV6(to, from)                                                                         \
    do {                                                                                           \
        uint32_t *word = (uint32_t *)(to);                                                         \
        word[0] = (from)[0];                                                                       \
        word[1] = (from)[1];                                                                       \
        word[2] = (from)[2];                                                                       \
        word[3] = (from)[3];                                                                       \
    } while (0)

#endif
