/*
 * eBPF sees every socket and its exact end, costs a guest next to nothing and stays out of its
 * control flow, but needs rights and a control group. Where these are missing, notifications of
 * seccomp see what the shim cannot enter.
 */
#include "harness/run/capture.h"

#include <stdio.h>

#include "harness/base/message.h"
#include "shim/shared/recorder.h"

static void take_event(void *with, const struct outside_event *event) {
    captured_note(with, event);
}

static bool open_ebpf(struct capture *capture, bool host) {
    if (!capture_ebpf_open(&capture->ebpf, host, capture->missing))
        return false;
    capture->means = PW_CAPTURE_KERNEL | (host ? PW_CAPTURE_HOST : 0);
    capture->missing[0] = '\0';
    return true;
}

bool capture_open(struct capture *capture, enum capture_choice choice) {
    capture->means = 0;
    capture->missing[0] = '\0';
    if (choice == CAPTURE_PRELOAD || open_ebpf(capture, choice == CAPTURE_HOST) ||
        choice == CAPTURE_AUTO)
        return true;
    complain("run", "--capture=%s: %s", choice == CAPTURE_HOST ? "host" : "ebpf", capture->missing);
    return false;
}

void capture_begin(struct capture *capture, struct destroyed *destroyed,
                   struct trace_reader *reader) {
    if (capture->means == 0)
        return;
    captured_start(&capture->captured, destroyed);
    trace_reader_show_open(reader, captured_learn_open, &capture->captured);
}

int capture_file(const struct capture *capture) {
    return (capture->means & PW_CAPTURE_KERNEL) != 0 ? capture_ebpf_file(&capture->ebpf) : -1;
}

/* Where the kernel refuses, the command runs on unseen by eBPF, which no event of it then tells. */
static void prepare(void *with) { (void)capture_group_enter(with); }

struct child_preparation capture_preparation(struct capture *capture) {
    if ((capture->means & PW_CAPTURE_KERNEL) == 0)
        return (struct child_preparation){0};
    return (struct child_preparation){prepare, &capture->ebpf.group};
}

bool capture_take(struct capture *capture) {
    if (capture->means == 0)
        return false;
    bool any = capture_ebpf_take(&capture->ebpf, take_event, &capture->captured);
    uint64_t lost = capture_ebpf_lost(&capture->ebpf);
    if (lost > 0)
        recorder_lost(PW_LOST_EVENTS, lost);
    captured_begin_round(&capture->captured);
    return any;
}

bool capture_settle(struct capture *capture, bool all) {
    return capture->means != 0 && captured_settle(&capture->captured, all);
}

void capture_close(struct capture *capture) {
    if (capture->means == 0)
        return;
    capture_ebpf_close(&capture->ebpf);
    captured_stop(&capture->captured);
    capture->means = 0;
}
