/* What `run` is doing with a notification at this moment, in memory that it shares with the standby
 * process, so that no call stays without an answer when `run` is killed in the middle of it. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_JOURNAL_H
#define PORTWITNESS_CAPTURE_NOTIFY_JOURNAL_H

#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shim/shared/notify_filter.h"
#include "shim/shared/notify_format.h"

enum { NOTIFY_LISTENERS_MOST = 4096, NOTIFY_BYTES = 256 };

enum notify_stage {
    NOTIFY_IDLE = 0,
    NOTIFY_RECEIVING = 1,  /* the kernel fills in the notification; its id is not 0 once it has */
    NOTIFY_PERFORMING = 2, /* the call is being made in the program's place */
    NOTIFY_PERFORMED = 3   /* it was made: `result` is what the program is answered */
};

/* What `run` saw of who asked whether it may install a filter. */
struct notify_asked {
    _Atomic uint32_t pid; /* 0: nobody, or it was refused */
    _Atomic uint32_t thread;
    _Atomic uint64_t filters; /* that this thread had */
    _Atomic uint32_t state;   /* of the slot, as seen last, and since when */
    _Atomic uint64_t since_ns;
};

struct notify_journal {
    _Atomic uint32_t stage; /* enum notify_stage */
    _Atomic uint32_t row;   /* of the listener, in the tables of both */
    _Atomic int32_t result; /* 0 or -errno */
    /* PERFORMING: a policy may have changed the socket's range, and these options of it. */
    _Atomic uint64_t options;
    _Atomic uint32_t by_policy;
    _Atomic bool shared;    /* ... and SO_REUSEADDR is on by us */
    _Atomic uint32_t begun; /* a connect that waits: the socket may have O_NONBLOCK from us */
    struct notify_asked asked[PW_NOTIFY_SLOTS]; /* by slot of the mailbox */
    /* By row: a program there has restricted itself, or may have (Landlock). Whoever lets the call
     * through that does it marks it first. */
    _Atomic unsigned char restricted[NOTIFY_LISTENERS_MOST];
    /* The kernel itself writes here: the id is there before anything else can happen to us. */
    union {
        struct seccomp_notif notification;
        unsigned char bytes[NOTIFY_BYTES]; /* a newer kernel's may be larger */
    };
};

/* Before a call is let through that a program may restrict itself by. Its children are under the
 * same filter and rules; that those which were there before are not, is not worth to be known. */
static inline void notify_journal_note(struct notify_journal *journal, uint32_t row,
                                       const struct seccomp_notif *notification) {
    if (notification->data.nr == SYS_landlock_restrict_self)
        atomic_store(&journal->restricted[row], 1);
}

#endif
