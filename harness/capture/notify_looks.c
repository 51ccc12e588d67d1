/* Between two looks nobody of us has the socket open: the program's close must be the last one, and
 * its port free when that returns. */
#include "harness/capture/notify_looks.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/memory.h"
#include "harness/capture/notify_answer.h"
#include "harness/capture/notify_guest.h"
#include "harness/capture/notify_socket.h"
#include "harness/capture/unrecorded.h"
#include "shim/shared/recorder.h"

enum { TRIES_MOST = 14 }; /* twice the time each: a second in all */

#define FIRST_NS UINT64_C(60000)

/* What it shows now. A connection that is still being made has its port already. */
static void look_at(struct notify_look *look, int duplicate) {
    struct outside_event *event = &look->event;
    bool had_port = event->local_port != 0;
    look->unseen = false;
    event->end_ns = monotonic_ns();
    notify_socket_local(duplicate, event);
    if (event->kind == OUTSIDE_BIND)
        look->succeeded = !had_port && event->local_port != 0;
    else if (event->kind == OUTSIDE_LISTEN)
        look->succeeded = notify_socket_listens(duplicate);
    else
        look->succeeded = notify_socket_peer(duplicate, event);
    look->begun = event->kind == OUTSIDE_CONNECT && notify_socket_state(duplicate) == TCP_SYN_SENT;
}

/* A port that it may have had is missing. Connects that are given up would be counted at every
 * host that does not answer. */
static void count_unseen(const struct outside_event *event) {
    if (event->kind != OUTSIDE_CONNECT)
        recorder_lost(PW_LOST_CALLS, 1);
}

static void finish(struct notify_looks *looks, struct notify_look *look) {
    if (look->unseen)
        count_unseen(&look->event);
    if (!look->succeeded)
        look->event.error = look->begun ? EINPROGRESS : OUTSIDE_ERROR_NOT_KNOWN;
    looks->take(looks->with, &look->event);
    look->event.cookie = 0;
    looks->used--;
}

void notify_looks_prepare(struct notify_looks *looks) {
    if (looks->ends != NULL)
        return;
    looks->ends = memory_zeroed(1, sizeof *looks->ends);
    notify_ends_open(looks->ends);
}

void notify_looks_add(struct notify_looks *looks, const struct outside_event *event) {
    for (unsigned i = 0; i < NOTIFY_LOOKS_MOST; i++) {
        struct notify_look *look = &looks->look[i];
        if (look->event.cookie != 0)
            continue;
        *look = (struct notify_look){.event = *event, .due_ns = monotonic_ns() + FIRST_NS};
        looks->used++;
        return;
    }
    struct outside_event unknown = *event;
    unknown.error = OUTSIDE_ERROR_NOT_KNOWN;
    count_unseen(&unknown);
    looks->take(looks->with, &unknown);
}

void notify_looks_settle(struct notify_looks *looks, uint64_t cookie, int duplicate) {
    for (unsigned i = 0; looks->used > 0 && i < NOTIFY_LOOKS_MOST; i++) {
        struct notify_look *look = &looks->look[i];
        if (look->event.cookie != cookie)
            continue;
        look_at(look, duplicate);
        finish(looks, look);
    }
}

/* false where the socket is closed. */
static bool look_once(struct notify_look *look) {
    struct notify_guest guest;
    notify_guest_enter(&guest, (pid_t)look->event.thread);
    int duplicate = guest.pidfd >= 0 ? notify_duplicate(guest.pidfd, look->event.descriptor) : -1;
    notify_guest_leave(&guest);
    bool same = duplicate >= 0 && notify_socket_cookie(duplicate) == look->event.cookie;
    if (same)
        look_at(look, duplicate);
    if (duplicate >= 0)
        unrecorded_close(duplicate);
    return same;
}

/* Who had a port before may have listened or not, which its end does not say. */
static void take_end(struct notify_looks *looks, struct notify_look *look,
                     const struct destroy_notice *notice) {
    struct outside_event *event = &look->event;
    bool had_port = event->local_port != 0;
    look->succeeded = !had_port && notice->local_port != 0;
    look->unseen = had_port && event->kind == OUTSIDE_LISTEN;
    event->end_ns = notice->seen_ns;
    if (look->succeeded) {
        event->device = notice->device;
        event->local_port = notice->local_port;
        memcpy(event->local, notice->local, sizeof event->local);
    }
    finish(looks, look);
    notify_ends_report(notice, looks->ends->notices.netns, looks->take, looks->with);
}

/* In another network namespace nobody tells us of ends. */
static bool has_notice(const struct notify_looks *looks, const struct notify_look *look) {
    return looks->ends != NULL && looks->ends->notices.file >= 0 &&
           look->event.kind != OUTSIDE_CONNECT && look->event.netns != 0 &&
           look->event.netns == looks->ends->notices.netns;
}

/* The descriptor is closed. false where the notice of the socket's end may come yet. */
static bool settle_gone(struct notify_looks *looks, struct notify_look *look) {
    struct destroy_notice notice;
    uint64_t now = monotonic_ns();
    if (look->gone_ns == 0)
        look->gone_ns = now;
    look->unseen = true;
    if (has_notice(looks, look)) {
        notify_ends_read(looks->ends);
        if (notify_ends_take(looks->ends, look->event.cookie, &notice)) {
            take_end(looks, look, &notice);
            return true;
        }
        if (now - look->gone_ns < NOTIFY_END_NS) {
            look->due_ns = now + NOTIFY_END_STEP_NS;
            return false;
        }
    }
    finish(looks, look);
    return true;
}

/* When it is to be looked at again; UINT64_MAX: never. */
static uint64_t look_if_due(struct notify_looks *looks, struct notify_look *look, uint64_t now) {
    if (look->due_ns > now)
        return look->due_ns;
    if (look->gone_ns != 0 || !look_once(look))
        return settle_gone(looks, look) ? UINT64_MAX : look->due_ns;
    if (look->succeeded || ++look->tries == TRIES_MOST) {
        finish(looks, look);
        return UINT64_MAX;
    }
    look->due_ns = now + (FIRST_NS << look->tries);
    return look->due_ns;
}

int64_t notify_looks_run(struct notify_looks *looks) {
    uint64_t next = UINT64_MAX;
    if (looks->used == 0)
        return -1;
    uint64_t now = monotonic_ns();
    for (unsigned i = 0; i < NOTIFY_LOOKS_MOST; i++) {
        if (looks->look[i].event.cookie == 0)
            continue;
        uint64_t due = look_if_due(looks, &looks->look[i], now);
        next = due < next ? due : next;
    }
    return next == UINT64_MAX ? -1 : (int64_t)(next - now);
}

static void look_last(struct notify_looks *looks, struct notify_look *look) {
    if (look->gone_ns != 0 || !look_once(look))
        settle_gone(looks, look);
    else
        finish(looks, look);
}

void notify_looks_end(struct notify_looks *looks) {
    const struct timespec pause = {.tv_nsec = NOTIFY_END_STEP_NS};
    while (looks->used > 0) {
        for (unsigned i = 0; i < NOTIFY_LOOKS_MOST; i++)
            if (looks->look[i].event.cookie != 0)
                look_last(looks, &looks->look[i]);
        if (looks->used > 0)
            nanosleep(&pause, NULL);
    }
    if (looks->ends != NULL)
        notify_ends_close(looks->ends);
    free(looks->ends);
    looks->ends = NULL;
}
