/* The side of `run` of the mailbox in which programs hand over their listeners
 * (shim/shared/notify_format.h). */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_MAILBOX_H
#define PORTWITNESS_CAPTURE_NOTIFY_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/capture/notify_journal.h"
#include "shim/shared/notify_format.h"

/* Opens it, with secret tokens. */
void notify_mailbox_open(struct pw_notify_area *area);

/* Nobody is to be put under a filter any more. Ends notify_mailbox_wait. */
void notify_mailbox_close(struct pw_notify_area *area);

/* Waits for news, 1 s at most. false once it is closed. `bell` keeps what was seen last. */
bool notify_mailbox_wait(struct pw_notify_area *area, uint32_t *bell);

/* What `run` does with a listener. false: it cannot be kept. */
typedef bool notify_keep(void *with, int listener, const struct pw_notify_slot *slot);

/* Answers all that wait in it: those that ask, and those that have a listener to hand over. Who has
 * not asked and installed a filter since is not taken at its word, and counted. While `full` nobody
 * gets a filter. `entry`: where listeners are sent to (notify_entry.h), -1 where they can be taken.
 */
void notify_mailbox_serve(struct pw_notify_area *area, struct notify_journal *journal, int entry,
                          bool full, notify_keep *keep, void *with);

/* Once it is closed: a listener that a program still wants to hand over, -1: none. */
int notify_mailbox_take_left(struct pw_notify_area *area, struct notify_journal *journal,
                             int entry);

/* Whether any program is in the middle of it. */
bool notify_mailbox_is_used(struct pw_notify_area *area);

#endif
