/* Calls that the program makes itself (they were answered CONTINUE), and what came of them: no
 * notification says when such a call has ended, so its socket is looked at some times. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_LOOKS_H
#define PORTWITNESS_CAPTURE_NOTIFY_LOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/capture/outside_event.h"

enum { NOTIFY_LOOKS_MOST = 256 };

struct notify_look {
    struct outside_event event; /* as far as it is known; cookie 0: a free row */
    uint64_t due_ns;
    unsigned tries;
    bool succeeded;
    bool begun; /* a connect that waits for its peer */
    bool gone;  /* closed, before it was seen to have succeeded */
};

/* Zero-initialized there are none. */
struct notify_looks {
    struct notify_look look[NOTIFY_LOOKS_MOST];
    unsigned used;
    outside_take *take; /* who gets the events */
    void *with;
};

/* The socket of this event is looked at from now on, until it shows that the call has succeeded. A
 * bind of one that had a port already shows nothing. */
void notify_looks_add(struct notify_looks *looks, const struct outside_event *event);

/* Somebody calls with this socket again, so the call before it has ended: takes its result from the
 * duplicate. */
void notify_looks_settle(struct notify_looks *looks, uint64_t cookie, int duplicate);

/* Does what is due. Nanoseconds until the next, less than a second; -1 where nothing is left. */
int64_t notify_looks_run(struct notify_looks *looks);

/* Gives all up: the last look. */
void notify_looks_end(struct notify_looks *looks);

#endif
