/* A program that tries out a port closes the socket at once, sooner than anybody can look. */
#include "harness/capture/notify_ends.h"

#include <string.h>

#include "shim/shared/recorder.h"

enum { AT_ONCE = 64 };

void notify_ends_open(struct notify_ends *ends) {
    destroy_notices_open(&ends->notices, true);
    ends->complete_from_ns = ends->notices.file >= 0 ? monotonic_ns() : UINT64_MAX;
}

void notify_ends_close(struct notify_ends *ends) { destroy_notices_close(&ends->notices); }

void notify_ends_read(struct notify_ends *ends) {
    struct destroy_notice list[AT_ONCE];
    size_t count;
    if (ends->notices.file < 0)
        return;
    while ((count = destroy_notices_read(&ends->notices, list, AT_ONCE)) > 0)
        for (size_t i = 0; i < count; i++)
            ends->kept[ends->count++ % NOTIFY_ENDS_KEPT] = list[i];
    if (ends->notices.overflows > 0)
        ends->complete_from_ns = monotonic_ns();
    ends->notices.overflows = 0;
}

/* The oldest that is kept yet. */
static size_t first_kept(const struct notify_ends *ends) {
    return ends->count > NOTIFY_ENDS_KEPT ? ends->count - NOTIFY_ENDS_KEPT : 0;
}

static bool is_of(const struct destroy_notice *notice, const struct outside_event *event) {
    if (notice->cookie == 0 || notice->seen_ns < event->begin_ns || notice->local_port == 0 ||
        notice->family != event->family || notice->protocol != event->protocol)
        return false;
    if (event->kind == OUTSIDE_CONNECT)
        return notice->remote_port == event->peer_port &&
               memcmp(notice->remote, event->peer, sizeof notice->remote) == 0;
    return memcmp(notice->local, event->requested, sizeof notice->local) == 0 &&
           (event->requested_port == 0 || event->requested_port == notice->local_port);
}

/* Of several that had one port by number the first was the first to end; of several that the kernel
 * chose the port for, nobody knows which is whose. */
enum notify_end notify_ends_find(struct notify_ends *ends, const struct outside_event *event,
                                 notify_end_is_free *is_free, const void *with,
                                 struct destroy_notice *notice) {
    struct destroy_notice *found = NULL;
    size_t from = first_kept(ends);
    for (size_t i = from; i < ends->count; i++) {
        struct destroy_notice *kept = &ends->kept[i % NOTIFY_ENDS_KEPT];
        if (!is_of(kept, event) || !is_free(with, kept->cookie))
            continue;
        if (found != NULL && event->requested_port == 0)
            return NOTIFY_END_UNCLEAR;
        found = found != NULL ? found : kept;
    }
    bool is_whole = ends->complete_from_ns <= event->begin_ns &&
                    (from == 0 || ends->kept[from % NOTIFY_ENDS_KEPT].seen_ns < event->begin_ns);
    if (found == NULL)
        return is_whole ? NOTIFY_END_NONE : NOTIFY_END_UNCLEAR;
    *notice = *found;
    found->cookie = 0;
    return NOTIFY_END_ONE;
}

bool notify_ends_take(struct notify_ends *ends, uint64_t cookie, struct destroy_notice *notice) {
    for (size_t i = first_kept(ends); i < ends->count; i++) {
        struct destroy_notice *kept = &ends->kept[i % NOTIFY_ENDS_KEPT];
        if (kept->cookie != cookie)
            continue;
        *notice = *kept;
        kept->cookie = 0;
        return true;
    }
    return false;
}

void notify_ends_report(const struct destroy_notice *notice, uint64_t netns, outside_take *take,
                        void *with) {
    struct outside_event event = {.kind = OUTSIDE_CLOSED,
                                  .source = PW_SOURCE_SUPERVISOR,
                                  .family = notice->family,
                                  .protocol = notice->protocol,
                                  .begin_ns = notice->seen_ns,
                                  .end_ns = notice->seen_ns,
                                  .cookie = notice->cookie,
                                  .netns = netns,
                                  .uid = UINT32_MAX,
                                  .device = notice->device,
                                  .state = notice->state,
                                  .local_port = notice->local_port,
                                  .peer_port = notice->remote_port,
                                  .descriptor = -1};
    memcpy(event.local, notice->local, sizeof event.local);
    memcpy(event.peer, notice->remote, sizeof event.peer);
    take(with, &event);
}
