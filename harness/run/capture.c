/*
 * eBPF sees every socket and its exact end, costs a guest next to nothing and stays out of its
 * control flow, but needs rights and a control group. Where these are missing, notifications of
 * seccomp see what the shim cannot enter.
 */
#include "harness/run/capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "harness/base/message.h"
#include "harness/capture/notify_keep.h"
#include "shim/shared/notify_join.h"
#include "shim/shared/policy_space.h"
#include "shim/shared/recorder.h"

/* A bind that nothing has followed for so long has failed. */
#define REFUSED_FOR_NS (UINT64_C(200) * 1000 * 1000)

static void take_event(void *with, const struct outside_event *event) {
    if (event->source == PW_SOURCE_KERNEL)
        notify_keep_refused(event);
    captured_note(with, event);
}

static const char *const names[] = {[CAPTURE_PRELOAD] = "preload",
                                    [CAPTURE_EBPF] = "ebpf",
                                    [CAPTURE_HOST] = "host",
                                    [CAPTURE_SECCOMP] = "seccomp"};

static bool fail(const struct capture *capture) {
    complain("run", "--capture=%s: %s", names[capture->choice], capture->missing);
    return false;
}

static bool open_ebpf(struct capture *capture, bool host) {
    if (!capture_ebpf_open(&capture->ebpf, host, capture->missing)) {
        memcpy(capture->no_ebpf, capture->missing, sizeof capture->no_ebpf);
        return false;
    }
    capture->means = PW_CAPTURE_KERNEL | (host ? PW_CAPTURE_HOST : 0);
    capture->missing[0] = '\0';
    return true;
}

bool capture_open(struct capture *capture, enum capture_choice choice) {
    *capture = (struct capture){.walk = NOTIFIED_WALK_NONE, .choice = choice};
    if (choice == CAPTURE_PRELOAD || choice == CAPTURE_SECCOMP) {
        snprintf(capture->no_ebpf, sizeof capture->no_ebpf, "--capture=%s", names[choice]);
        return true;
    }
    if (open_ebpf(capture, choice == CAPTURE_HOST) || choice == CAPTURE_AUTO)
        return true;
    return fail(capture);
}

static bool open_seccomp(struct capture *capture) {
    capture->supervisor = notify_open(recorder_header());
    if (capture->supervisor == NULL && capture->means != 0)
        return false;
    if (capture->supervisor == NULL) {
        snprintf(capture->missing, sizeof capture->missing, "no seccomp notifications: %s",
                 strerror(errno));
        return false;
    }
    if (!recorder_facts()->no_frames)
        notify_set_frames(capture->supervisor, notified_walk, &capture->walk);
    if (capture->means != 0)
        notify_report_own(capture->supervisor);
    capture->means |= PW_CAPTURE_SECCOMP;
    return true;
}

/* eBPF sees what the shim is not in and cannot answer in its place; notifications can. */
static bool policy_needs_seccomp(void) {
    const struct pw_policy_config *config = policy_config();
    return config->kind == PW_POLICY_SOONEST || config->kind == PW_POLICY_QUARANTINE ||
           config->kind == PW_POLICY_KEEP || config->low != 0;
}

bool capture_begin(struct capture *capture, struct destroyed *destroyed,
                   struct trace_reader *reader) {
    if ((capture->means & PW_CAPTURE_KERNEL) != 0)
        notify_set_tokens(recorder_header(), capture->ebpf.token);
    bool wants_seccomp =
        capture->choice == CAPTURE_SECCOMP ||
        (capture->choice == CAPTURE_AUTO && (capture->means == 0 || policy_needs_seccomp()));
    if (wants_seccomp && !open_seccomp(capture) && capture->choice == CAPTURE_SECCOMP)
        return fail(capture);
    if (capture->means == 0)
        return true;
    captured_start(&capture->captured, destroyed, (capture->means & PW_CAPTURE_HOST) != 0);
    if (capture->supervisor != NULL)
        capture->captured.processes.elsewhere =
            (struct captured_elsewhere){notified_walk_program, &capture->walk};
    capture->captured.by_both =
        (capture->means & PW_CAPTURE_KERNEL) != 0 && capture->supervisor != NULL;
    trace_reader_show_open(reader, captured_learn_open, &capture->captured);
    return true;
}

void capture_wake(const struct capture *capture, int epoll, uint64_t number) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = number};
    if ((capture->means & PW_CAPTURE_KERNEL) != 0)
        epoll_ctl(epoll, EPOLL_CTL_ADD, capture_ebpf_file(&capture->ebpf), &event);
    if (capture->supervisor != NULL)
        epoll_ctl(epoll, EPOLL_CTL_ADD, notify_file(capture->supervisor), &event);
}

/* Where the kernel refuses, the command runs on unseen, and is a blind spot then. */
static void prepare(void *with) {
    struct capture *capture = with;
    if ((capture->means & PW_CAPTURE_KERNEL) != 0)
        (void)capture_group_enter(&capture->ebpf.group);
    if (capture->supervisor != NULL)
        notify_child_before_exec(capture->supervisor, capture->command);
}

struct child_preparation capture_preparation(struct capture *capture,
                                             const struct program_facts *command) {
    capture->command = command;
    return (struct child_preparation){capture->means != 0 ? prepare : NULL, capture};
}

/* Looks through every thread that has ever asked for a port, so now and then only. */
static void settle_refused(struct capture *capture, bool all) {
    uint64_t now = monotonic_ns();
    if (!all && now - capture->settled_ns < REFUSED_FOR_NS)
        return;
    capture->settled_ns = now;
    capture_ebpf_settle(&capture->ebpf, all ? 0 : REFUSED_FOR_NS, take_event, &capture->captured);
}

static bool take_all(struct capture *capture, bool all) {
    bool any = false;
    size_t room = captured_room(&capture->captured);
    if ((capture->means & PW_CAPTURE_KERNEL) != 0) {
        any = room > 0 && capture_ebpf_take(&capture->ebpf, room, take_event, &capture->captured);
        settle_refused(capture, all);
    }
    if (capture->supervisor != NULL &&
        notify_take(capture->supervisor, take_event, &capture->captured))
        any = true;
    return any;
}

bool capture_take(struct capture *capture) {
    if (capture->means == 0)
        return false;
    bool any = take_all(capture, false);
    uint64_t lost =
        (capture->means & PW_CAPTURE_KERNEL) != 0 ? capture_ebpf_lost(&capture->ebpf) : 0;
    if (lost > 0)
        recorder_lost(PW_LOST_EVENTS, lost);
    captured_begin_round(&capture->captured);
    return any;
}

static void take_last(struct capture *capture) {
    if (capture->supervisor != NULL)
        notify_stop(capture->supervisor);
    while (take_all(capture, true)) /* as much as there is room for */
        captured_settle(&capture->captured, true);
    if (capture->supervisor != NULL && notify_lost(capture->supervisor) > 0)
        recorder_lost(PW_LOST_EVENTS, notify_lost(capture->supervisor));
}

bool capture_settle(struct capture *capture, bool all) {
    if (capture->means == 0)
        return false;
    if (all)
        take_last(capture);
    return captured_settle(&capture->captured, all);
}

uint64_t capture_unprivileged(const struct capture *capture) {
    return capture->supervisor != NULL ? notify_count(capture->supervisor, PW_NOTIFY_PRIVILEGES)
                                       : 0;
}

bool capture_had_standby(const struct capture *capture) {
    return capture->supervisor == NULL || notify_had_standby(capture->supervisor);
}

uint64_t capture_by_table(const struct capture *capture) {
    return capture->supervisor != NULL ? notify_sent(capture->supervisor) : 0;
}

void capture_close(struct capture *capture) {
    if ((capture->means & PW_CAPTURE_KERNEL) != 0)
        capture_ebpf_close(&capture->ebpf);
    notify_close(capture->supervisor);
    notified_walk_close(&capture->walk);
    if (capture->means != 0)
        captured_stop(&capture->captured);
    capture->supervisor = NULL;
    capture->means = 0;
}
