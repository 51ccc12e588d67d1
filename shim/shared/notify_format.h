/*
 * The mailbox in a trace's first page by which a program that is about to be executed under a
 * filter hands the filter's listener to `run` (seccomp_unotify(2)). Shared by all processes of the
 * run, each word of it by atomic operations alone: anybody may be killed at any instruction.
 */
#ifndef PORTWITNESS_SHARED_NOTIFY_FORMAT_H
#define PORTWITNESS_SHARED_NOTIFY_FORMAT_H

#include <stdatomic.h>
#include <stdint.h>

#include "shim/shared/trace_format.h"

/* In the header's page, behind the header. */
#define PW_NOTIFY_OFFSET 2048u

enum { PW_NOTIFY_SLOTS = 16 };

/* Whether there is somebody who takes listeners. */
enum pw_notify_open { PW_NOTIFY_NONE = 0, PW_NOTIFY_OPEN = 1, PW_NOTIFY_CLOSED = 2 };

/* A slot goes through these in this order, but that GO_SEND comes in the place of GO. `run` moves
 * it out of ASKED and POSTED, the program out of all others. */
enum pw_notify_state {
    PW_NOTIFY_FREE = 0,
    PW_NOTIFY_CLAIMED = 1, /* its fields are being written */
    PW_NOTIFY_ASKED = 2,   /* may I? */
    PW_NOTIFY_GO = 3,      /* `run` is able to take a listener from this process */
    PW_NOTIFY_REFUSED = 4, /* it is not: no filter is installed */
    PW_NOTIFY_POSTED = 5,  /* the filter is installed, the descriptor stands in the slot */
    PW_NOTIFY_TAKEN = 6,   /* `run` has it and answers; the program closes its own */
    PW_NOTIFY_LOST = 7,    /* it could not be taken all the same */
    PW_NOTIFY_NO_ROOM = 8, /* as REFUSED: `run` has no descriptor left for it */
    /* as GO, where `run` may take nobody's descriptor (pidfd_getfd(2)): the listener is to be sent
     * to the door before it is posted. Said of one that is posted: it has not come, send it again.
     */
    PW_NOTIFY_GO_SEND = 9
};

/* What became of the programs that needed a filter, each a counter in pw_notify_area.count. */
enum pw_notify_count {
    PW_NOTIFY_INSTALLED = 0,     /* programs that were put under a filter */
    PW_NOTIFY_PRIVILEGES = 1,    /* ... with no_new_privs, for want of CAP_SYS_ADMIN */
    PW_NOTIFY_NOT_TAKEN = 2,     /* `run` cannot take a descriptor from them (pidfd_getfd(2)) */
    PW_NOTIFY_WATCHED = 3,       /* under a filter of such a kind already (EBUSY) */
    PW_NOTIFY_NOT_ALLOWED = 4,   /* the kernel or a filter above refused the filter */
    PW_NOTIFY_FULL = 5,          /* no slot, or more programs than `run` can wait for */
    PW_NOTIFY_UNANSWERED = 6,    /* nobody answered in time */
    PW_NOTIFY_ABANDONED = 7,     /* the filter was installed and nobody took its listener */
    PW_NOTIFY_FOREIGN = 8,       /* listeners that were named by somebody who had no such filter */
    PW_NOTIFY_OTHER_USER = 9,    /* as NOT_TAKEN: they are another user's than `run` */
    PW_NOTIFY_OTHER_PIDS = 10,   /* they are in another PID namespace than `run` */
    PW_NOTIFY_NO_PROC = 11,      /* they have no /proc */
    PW_NOTIFY_NO_ROOM_LEFT = 12, /* `run` has no descriptor left for their listener */
    PW_NOTIFY_COUNTS = 13
};

struct pw_notify_slot {
    _Atomic uint32_t state; /* futex(2) of the program; enum pw_notify_state */
    _Atomic uint32_t pid;   /* as the program itself sees it */
    _Atomic uint64_t
        pid_namespace;        /* inode of its PID namespace: the pid means nothing elsewhere */
    _Atomic int32_t listener; /* the program's descriptor */
    /* not 0: it may be under rules that `run` is not under (Landlock) */
    _Atomic uint32_t restricted;
    _Atomic uint32_t thread; /* that installs the filter; it counts as `pid` does */
    _Atomic uint32_t why;    /* REFUSED: enum pw_notify_count */
    _Atomic int32_t error;   /* ... and the errno that showed it, 0: none did */
};

struct pw_notify_area {
    _Atomic uint32_t open; /* enum pw_notify_open */
    _Atomic uint32_t bell; /* futex(2) of `run`: counts what it was told */
    /* What lets a call of the shim's through, see notify_filter.h. Never 0 once it is open. */
    uint64_t token[2];
    uint64_t region;
    _Atomic uint64_t count[PW_NOTIFY_COUNTS];
    _Atomic int32_t error[PW_NOTIFY_COUNTS]; /* of the latest, 0: there was none */
    struct pw_notify_slot slot[PW_NOTIFY_SLOTS];
    uint64_t door;         /* number in the name of the door, see notify_door_name; 0: none */
    _Atomic uint64_t sent; /* programs of INSTALLED whose listener was sent there */
};

_Static_assert(sizeof(struct pw_header) <= PW_NOTIFY_OFFSET, "the mailbox comes behind it");
_Static_assert(PW_NOTIFY_OFFSET + sizeof(struct pw_notify_area) <= PW_HEADER_SIZE,
               "the mailbox ends with the page");

#endif
