/* The reader's side of the eBPF programs. The ring is looked at rather than waited for: to be woken
 * for each event would cost the guest half a bind more. */
#include "harness/capture/ebpf.h"

#include <stdio.h>

#ifndef PORTWITNESS_EBPF_OBJECT

bool capture_ebpf_open(struct capture_ebpf *capture, bool host, char why[CAPTURE_WHY_BYTES]) {
    (void)host;
    *capture = (struct capture_ebpf){.loaded = NULL};
    snprintf(why, CAPTURE_WHY_BYTES, "built without libbpf");
    return false;
}

int capture_ebpf_file(const struct capture_ebpf *capture) {
    (void)capture;
    return -1;
}

bool capture_ebpf_take(struct capture_ebpf *capture, size_t most, outside_take *take, void *with) {
    (void)capture;
    (void)most;
    (void)take;
    (void)with;
    return false;
}

void capture_ebpf_settle(struct capture_ebpf *capture, uint64_t age_ns, outside_take *take,
                         void *with) {
    (void)capture;
    (void)age_ns;
    (void)take;
    (void)with;
}

uint64_t capture_ebpf_lost(struct capture_ebpf *capture) {
    (void)capture;
    return 0;
}

void capture_ebpf_close(struct capture_ebpf *capture) { (void)capture; }

#else

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "harness/base/memory.h"
#include "harness/capture/bind_error.h"
#include "harness/capture/ebpf_programs.h"

struct ebpf_loaded {
    struct ebpf_programs programs;
    struct ring_buffer *ring;
    int file;      /* readable at a wake-up, once for each */
    int calls;     /* map */
    uint64_t lost; /* already reported */
    struct bind_rules rules;
    outside_take *take; /* during capture_ebpf_take */
    void *with;
    size_t taken;
    size_t most;
};

/* What the programs leave out, since it is always the same. */
static void complete(struct outside_event *event) {
    event->source = PW_SOURCE_KERNEL;
    event->descriptor = -1;
    event->scope = 0;
    memset(event->comm, 0, sizeof event->comm);
    event->process = NULL;
    if (event->addresses > OUTSIDE_ADDRESSES_MAX)
        event->addresses = OUTSIDE_ADDRESSES_MAX;
}

static void pass(struct ebpf_loaded *loaded, const struct outside_event *event) {
    loaded->taken++;
    loaded->take(loaded->with, event);
}

static void pass_process(struct ebpf_loaded *loaded, const void *data, size_t size) {
    struct outside_process process = {.kind = 0};
    memcpy(&process, data, size < sizeof process ? size : sizeof process);
    const struct outside_event event = {.kind = process.kind,
                                        .source = PW_SOURCE_KERNEL,
                                        .begin_ns = process.begin_ns,
                                        .end_ns = process.begin_ns,
                                        .pid = process.pid,
                                        .thread = process.thread,
                                        .uid = process.uid,
                                        .ours = process.ours,
                                        .descriptor = -1,
                                        .process = &process};
    pass(loaded, &event);
}

/* A read that was kept back comes with the release, which then begins when that was. */
static void pass_kept(struct ebpf_loaded *loaded, struct outside_event *released) {
    struct outside_event event = *released;
    event.kind = OUTSIDE_READ;
    event.end_ns = event.begin_ns;
    event.bound = 0;
    event.state = 0;
    pass(loaded, &event);
    released->begin_ns = released->end_ns;
    released->local_port = 0;
}

static void pass_call(struct ebpf_loaded *loaded, const void *data, size_t size) {
    const size_t most = offsetof(struct outside_event, descriptor);
    struct outside_event event = {.kind = 0};
    memcpy(&event, data, size < most ? size : most);
    complete(&event);
    if (event.kind == OUTSIDE_BIND && event.error == OUTSIDE_ERROR_NOT_KNOWN)
        bind_error_infer(&loaded->rules, &event);
    if (event.kind == OUTSIDE_RELEASED && event.begin_ns != event.end_ns)
        pass_kept(loaded, &event);
    pass(loaded, &event);
}

/* Less than 0 leaves what is behind it in the ring. */
static int pass_on(void *with, void *data, size_t size) {
    struct ebpf_loaded *loaded = with;
    uint8_t kind = *(const uint8_t *)data;
    if (kind == OUTSIDE_EXEC || kind == OUTSIDE_PROCESS || kind == OUTSIDE_LEFT)
        pass_process(loaded, data, size);
    else
        pass_call(loaded, data, size);
    return loaded->taken < loaded->most ? 0 : -1;
}

/* The ring's own descriptor is readable whenever anything is in it; only its wake-ups are wanted.
 */
static int open_wake_ups(int ring) {
    int file = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLET};
    if (file >= 0 && epoll_ctl(file, EPOLL_CTL_ADD, ring, &wanted) == 0)
        return file;
    if (file >= 0)
        close(file);
    return -1;
}

static bool open_ring(struct ebpf_loaded *loaded, char why[CAPTURE_WHY_BYTES]) {
    int ring = ebpf_programs_map(&loaded->programs, "ring");
    loaded->calls = ebpf_programs_map(&loaded->programs, "calls");
    loaded->ring = ring_buffer__new(ring, pass_on, loaded, NULL);
    if (loaded->ring != NULL)
        loaded->file = open_wake_ups(ring);
    if (loaded->file >= 0)
        return true;
    snprintf(why, CAPTURE_WHY_BYTES, "the events of the eBPF programs cannot be read: %s",
             strerror(errno));
    return false;
}

bool capture_ebpf_open(struct capture_ebpf *capture, bool host, char why[CAPTURE_WHY_BYTES]) {
    *capture = (struct capture_ebpf){.loaded = NULL};
    if (!capture_group_open(&capture->group, host, why))
        return false;
    struct ebpf_loaded *loaded = memory_zeroed(1, sizeof *loaded);
    loaded->file = -1;
    capture->loaded = loaded;
    if (!ebpf_programs_load(&loaded->programs, &capture->group, why) || !open_ring(loaded, why)) {
        capture_ebpf_close(capture);
        return false;
    }
    bind_rules_read(&loaded->rules);
    memcpy(capture->token, loaded->programs.switches.token, sizeof capture->token);
    capture->options = loaded->programs.switches.options != 0;
    capture->addresses = loaded->programs.switches.offsets.stack != 0;
    capture->execs = loaded->programs.execs;
    return true;
}

int capture_ebpf_file(const struct capture_ebpf *capture) {
    return capture->loaded != NULL ? capture->loaded->file : -1;
}

bool capture_ebpf_take(struct capture_ebpf *capture, size_t most, outside_take *take, void *with) {
    struct ebpf_loaded *loaded = capture->loaded;
    if (loaded == NULL)
        return false;
    struct epoll_event woken;
    (void)!epoll_wait(loaded->file, &woken, 1, 0);
    __atomic_store_n(&loaded->programs.words->woken, 0, __ATOMIC_RELAXED);
    loaded->take = take;
    loaded->with = with;
    loaded->taken = 0;
    loaded->most = most;
    ring_buffer__consume(loaded->ring);
    return loaded->taken > 0;
}

/* Reports the bind that is pending in this thread's call, or the read that was kept back, if it is
 * old enough, so that the thread is no longer in it. */
static bool is_settled(const struct ebpf_loaded *loaded, uint64_t thread, uint64_t before,
                       struct outside_event *event) {
    struct thread_call call;
    if (bpf_map_lookup_elem(loaded->calls, &thread, &call) != 0)
        return false;
    uint64_t since = call.pending ? call.event.begin_ns : call.kept_ns;
    if (since == 0 || since > before)
        return false;
    bpf_map_delete_elem(loaded->calls, &thread);
    *event = call.event;
    complete(event);
    if (call.pending) {
        event->kind = OUTSIDE_BIND;
        event->error = OUTSIDE_ERROR_NOT_KNOWN;
        return true;
    }
    event->kind = OUTSIDE_READ;
    event->begin_ns = since;
    event->end_ns = since;
    event->addresses = 0;
    return true;
}

void capture_ebpf_settle(struct capture_ebpf *capture, uint64_t age_ns, outside_take *take,
                         void *with) {
    struct ebpf_loaded *loaded = capture->loaded;
    struct timespec now;
    if (loaded == NULL || clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return;
    uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    uint64_t before = now_ns > age_ns ? now_ns - age_ns : 0; /* of a machine that began just now */
    uint64_t thread = 0;
    uint64_t next = 0;
    bool more = bpf_map_get_next_key(loaded->calls, NULL, &next) == 0;
    for (unsigned i = 0; more && i < EBPF_THREADS_MAX; i++) {
        struct outside_event event;
        thread = next;
        more = bpf_map_get_next_key(loaded->calls, &thread, &next) == 0;
        if (!is_settled(loaded, thread, before, &event))
            continue;
        if (event.kind == OUTSIDE_BIND)
            bind_error_infer(&loaded->rules, &event);
        take(with, &event);
    }
}

uint64_t capture_ebpf_lost(struct capture_ebpf *capture) {
    struct ebpf_loaded *loaded = capture->loaded;
    if (loaded == NULL)
        return 0;
    uint64_t lost = __atomic_load_n(&loaded->programs.words->lost, __ATOMIC_RELAXED);
    uint64_t since = lost - loaded->lost;
    loaded->lost = lost;
    return since;
}

void capture_ebpf_close(struct capture_ebpf *capture) {
    struct ebpf_loaded *loaded = capture->loaded;
    if (loaded == NULL)
        return;
    ring_buffer__free(loaded->ring);
    if (loaded->file >= 0)
        close(loaded->file);
    ebpf_programs_unload(&loaded->programs);
    free(loaded);
    capture->loaded = NULL;
    capture_group_close(&capture->group);
}

#endif
