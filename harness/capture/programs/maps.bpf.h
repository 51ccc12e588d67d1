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
#define WITHOUT_ADDRESSES offsetof(struct outside_event, address)

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

/* Processes that the reader knows, as far as they are remembered. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, EBPF_SEEN_MAX);
    __type(key, uint32_t);
    __type(value, uint8_t);
} seen SEC(".maps");

/* Processes below the command's control group: when each began, by its pid in the root namespace.
 */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, EBPF_MEMBERS_MAX);
    __type(key, uint32_t);
    __type(value, uint64_t);
} members SEC(".maps");

/* The command's control group, for whoever executes a program. */
struct {
    __uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, uint32_t);
} groups SEC(".maps");

const volatile struct ebpf_switches switches = {.options = 1};
struct ebpf_words words;

/* To wake the reader costs as much as some events, so it is done once for many. */
static __always_inline uint64_t wake_up(void) {
    if (words.woken || bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < EBPF_WAKE_BYTES)
        return BPF_RB_NO_WAKEUP;
    words.woken = 1;
    return BPF_RB_FORCE_WAKEUP;
}

/* Room for an event of `size` bytes, a constant; NULL where the ring is full, which is counted. */
static __always_inline void *room_for(uint64_t size) {
    void *event = bpf_ringbuf_reserve(&ring, size, 0);
    if (event == NULL)
        __sync_fetch_and_add(&words.lost, 1);
    return event;
}

/* Copies the event into the ring, with its addresses; where that is full, it is counted. As a
 * function that is not static it is verified once in each program, and not wherever it is called.
 */
__attribute__((noinline)) int report(struct outside_event *event, uint32_t kind) {
    if (event == NULL)
        return 0;
    uint64_t addresses = event->addresses;
    if (addresses > OUTSIDE_ADDRESSES_MAX)
        addresses = OUTSIDE_ADDRESSES_MAX;
    event->kind = (uint8_t)kind;
    if (bpf_ringbuf_output(&ring, event, WITHOUT_ADDRESSES + addresses * sizeof event->address[0],
                           wake_up()) != 0)
        __sync_fetch_and_add(&words.lost, 1);
    return 0;
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
