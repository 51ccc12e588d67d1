/* Calls that the program makes itself (they were answered CONTINUE), and what came of them: no
 * notification says when such a call has ended, so its socket is looked at some times. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_LOOKS_H
#define PORTWITNESS_CAPTURE_NOTIFY_LOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/capture/notify_ends.h"
#include "harness/capture/outside_event.h"

enum { NOTIFY_LOOKS_MOST = 256 };

struct notify_look {
    struct outside_event event; /* as far as it is known; cookie 0: a free row */
    uint64_t due_ns;
    uint64_t gone_ns; /* when the socket was found closed, 0: it was not */
    unsigned tries;
    bool succeeded;
    bool begun;  /* a connect that waits for its peer */
    bool unseen; /* closed, and nothing says what came of the call */
};

/* Zero-initialized there are none. */
struct notify_looks {
    struct notify_look look[NOTIFY_LOOKS_MOST];
    unsigned used;
    struct notify_ends *ends; /* NULL: not needed yet */
    outside_take *take;       /* who gets the events */
    void *with;
};

/* Before a bind or listen is let through: what is closed before it was looked at is known by the
 * kernel's notice of its end. */
void notify_looks_prepare(struct notify_looks *looks);

/* The socket of this event is looked at from now on, until it shows that the call has succeeded. A
 * bind of one that had a port already shows nothing. */
void notify_looks_add(struct notify_looks *looks, const struct outside_event *event);

/* Somebody calls with this socket again, so the call before it has ended: takes its result from the
 * duplicate. */
void notify_looks_settle(struct notify_looks *looks, uint64_t cookie, int duplicate);

/* Does what is due. Nanoseconds until the next, less than a second; -1 where nothing is left. */
int64_t notify_looks_run(struct notify_looks *looks);

/* Gives all up: the last look, for which it waits a moment, and what was opened. */
void notify_looks_end(struct notify_looks *looks);

#endif
