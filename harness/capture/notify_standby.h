/* A process that holds the listeners too, and answers when `run` cannot any more: then each call is
 * let through to the kernel as the program made it. Nothing is recorded then. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_STANDBY_H
#define PORTWITNESS_CAPTURE_NOTIFY_STANDBY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/capture/notify_journal.h"
#include "shim/shared/notify_format.h"

struct notify_standby {
    pid_t pid;
    int link; /* -1: there is no standby */
    struct notify_journal *journal;
};

/* Starts it, in a process group of its own; it has no other descriptor of ours than `entry`
 * (notify_mailbox_serve). Another one, after notify_standby_forget, goes on with the same journal:
 * it knows no listeners yet. false with errno set. */
bool notify_standby_start(struct notify_standby *standby, struct pw_notify_area *area, int entry);

/* It has ended: what is left of it. */
void notify_standby_forget(struct notify_standby *standby);

/* Gives it a duplicate of a listener for that row of its table; takes it back. */
bool notify_standby_hold(const struct notify_standby *standby, uint32_t row, int listener);
/* From now on it lets the calls of that row through, since `run` cannot. */
bool notify_standby_answer(const struct notify_standby *standby, uint32_t row);
void notify_standby_drop(const struct notify_standby *standby, uint32_t row);

/* From now on it answers, until the last program under a filter has ended; then it ends itself. */
void notify_standby_leave(struct notify_standby *standby);

#endif
