/* Calls of programs of which no descriptor may be taken: the kernel makes them for the program, and
 * what came of them is looked up in its table of sockets, by the inode of the program's descriptor.
 *
 * That knows sockets that have a port, in our own network namespace: a refused call is one after
 * which the program still has the socket, and the socket no port. Of a socket that is closed by
 * then the destroy notices tell. Where neither can the call is counted as lost (PW_LOST_CALLS). */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_TABLE_H
#define PORTWITNESS_CAPTURE_NOTIFY_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/capture/bind_error.h"
#include "harness/capture/notify_ends.h"
#include "harness/capture/notify_guest.h"
#include "harness/capture/outside_event.h"
#include "harness/system/sock_diag.h"

enum { NOTIFY_ASKED_MOST = 256, NOTIFY_KNOWN_MOST = 1024 };

/* A call that was left to the kernel. */
struct notify_question {
    struct outside_event event; /* as far as it is known */
    uint64_t inode;             /* 0: a free row */
    uint64_t due_ns;
    uint64_t gone_ns; /* when the socket was found closed, 0: it was not */
    unsigned tries;
};

struct notify_table {
    struct notify_question asked[NOTIFY_ASKED_MOST];
    unsigned used;
    struct socket_found known[NOTIFY_KNOWN_MOST]; /* by inode; 0: none */
    bool
        shows_bound; /* TCP sockets that are bound and do not listen are in the table (Linux 6.8) */
    uint64_t netns;  /* cookie of our own namespace */
    uint64_t made_up; /* cookies of refused sockets */
    struct bind_rules rules;
    struct notify_ends ends;
    outside_take *take;
    void *with;
};

/* Finds out what the table shows here. */
void notify_table_open(struct notify_table *table);

/* Whether we may look into that process. */
bool notify_table_may_look(pid_t pid);

/* The call's socket and what is known of it into the event, and the inode. The thread's call before
 * has ended, so its result is taken. 0: there is nothing to be seen; it has been counted where
 * somebody may miss it. `reads`: its address is looked up. */
uint64_t notify_table_enter(struct notify_table *table, const struct notify_guest *guest,
                            int descriptor, bool reads, struct outside_event *event);

/* The call with this event is about to be made: who has its port now is not its socket. */
void notify_table_before(struct notify_table *table, const struct outside_event *event);

/* The call with this event is being made by the kernel. */
void notify_table_ask(struct notify_table *table, const struct outside_event *event,
                      uint64_t inode);

/* Does what is due. Nanoseconds until the next; -1 where nothing is left. */
int64_t notify_table_run(struct notify_table *table);

/* Gives all up: the last look, for which it waits a moment, and what was opened. */
void notify_table_end(struct notify_table *table);

#endif
