/* The ways in which a descriptor is closed. The table forgets the number before the kernel can give
 * it to another thread; for anything but an IP socket that costs one lookup. */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "shim/frames/python.h"
#include "shim/gate.h"
#include "shim/policy/policy.h"
#include "shim/real.h"
#include "shim/socket/cancellable.h"
#include "shim/socket/sockets.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

static long close_really(const void *arguments) { return real.close(*(const int *)arguments); }

static long fclose_really(const void *arguments) {
    FILE *const *stream = arguments;
    return real.fclose(*stream);
}

struct closing {
    struct record record;
    struct socket_facts facts;
    bool begun;   /* the record */
    bool is_ours; /* the number was an IP socket's, and is forgotten */
};

/* Begins the record of a close and forgets the number; false where there is nothing to record. */
static bool begin_close(int fd, int number, const void *site, struct closing *closing) {
    closing->begun = false;
    closing->is_ours = false;
    if (descriptor_find(fd) == NULL || gate() != GATE_OPEN)
        return false;
    struct call_context context = {.number = number, .site = site, .begin_ns = monotonic_ns()};
    closing->is_ours = descriptor_take(fd, &closing->facts);
    if (closing->is_ours && policy_on)
        policy_before_release(&closing->facts);
    closing->begun =
        closing->is_ours && (closing->facts.flags & DESCRIPTOR_UNRECORDED) == 0 &&
        socket_record_begin(&closing->record, PW_KIND_CLOSE, 1, fd, &closing->facts, &context);
    return closing->begun;
}

static void finish_close(struct closing *closing, long result) {
    int error = errno;
    if (closing->begun) {
        closing->record.units[0].start.error = (uint16_t)(result < 0 ? error : 0);
        record_commit(&closing->record, 0);
    }
    if (closing->is_ours && policy_on)
        policy_note_released(&closing->facts, closing->facts.port);
    errno = error;
}

static int close_and_note(int fd, const void *site) {
    struct closing closing;
    int result;
    if (begin_close(fd, NUMBER_close, site, &closing))
        result = (int)cancellable(&(struct open_call){.record = &closing.record, .fd = -1},
                                  close_really, &fd);
    else
        result = real.close(fd);
    finish_close(&closing, result);
    return result;
}

/* Without a frame of its own: what lies between the system call and the guest costs more than the
 * look at the table. */
int call_close(int fd, const void *site) {
    python_meet(PYTHON_AT_CLOSE);
    return descriptor_find(fd) == NULL ? real.close(fd) : close_and_note(fd, site);
}

int call_close_uncancelled(int fd, const void *site) {
    struct closing closing;
    begin_close(fd, NUMBER_syscall, site, &closing);
    int result = (int)real.syscall(SYS_close, (long)fd);
    finish_close(&closing, result);
    return result;
}

int call_fclose(FILE *stream, const void *site) {
    struct closing closing;
    int saved = errno;
    int fd = stream != NULL ? fileno(stream) : -1; /* -1 for a stream without descriptor */
    errno = saved;
    int result;
    if (begin_close(fd, NUMBER_fclose, site, &closing))
        result = (int)cancellable(&(struct open_call){.record = &closing.record, .fd = -1},
                                  fclose_really, &stream);
    else
        result = real.fclose(stream);
    finish_close(&closing, result);
    return result;
}

/* After a range was closed: a record for each IP socket that was in it. */
static void note_closed_range(unsigned first, unsigned last, const struct call_context *context) {
    unsigned limit = (unsigned)descriptor_limit();
    for (unsigned fd = first; fd <= last && fd < limit; fd++) {
        struct socket_facts facts;
        struct record record;
        if (!descriptor_take((int)fd, &facts))
            continue;
        if ((facts.flags & DESCRIPTOR_UNRECORDED) == 0 &&
            socket_record_begin(&record, PW_KIND_CLOSE, 1, (int)fd, &facts, context))
            record_commit(&record, 0);
        if (policy_on)
            policy_note_released(&facts, facts.port);
    }
}

/* Before a range is closed. */
static void before_range(unsigned first, unsigned last) {
    unsigned limit = (unsigned)descriptor_limit();
    struct socket_facts facts;
    if (!policy_on || gate() != GATE_OPEN)
        return;
    for (unsigned fd = first; fd <= last && fd < limit; fd++)
        if (descriptor_copy((int)fd, &facts))
            policy_before_release(&facts);
}

int call_close_range(unsigned first, unsigned last, int flags, const void *site) {
    struct call_context context = {
        .number = NUMBER_close_range, .site = site, .begin_ns = monotonic_ns()};
    if (((unsigned)flags & CLOSE_RANGE_CLOEXEC) == 0)
        before_range(first, last);
    int result = real.close_range(first, last, flags);
    if (result == 0 && ((unsigned)flags & CLOSE_RANGE_CLOEXEC) == 0 && gate() == GATE_OPEN)
        note_closed_range(first, last, &context);
    return result;
}

void call_closefrom(int first, const void *site) {
    struct call_context context = {
        .number = NUMBER_closefrom, .site = site, .begin_ns = monotonic_ns()};
    before_range(first > 0 ? (unsigned)first : 0, UINT32_MAX);
    real.closefrom(first);
    if (gate() == GATE_OPEN)
        note_closed_range(first > 0 ? (unsigned)first : 0, UINT32_MAX, &context);
}
