/* The policy `keep`, for the calls that `run` makes in the place of a program. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_KEEP_H
#define PORTWITNESS_CAPTURE_NOTIFY_KEEP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "harness/capture/outside_event.h"

/* Makes the bind or listen, and what `keep` adds to it. `event` is what is known of it before the
 * call; it gets PW_FLAG_POLICY_KEPT. *shared is true while SO_REUSEADDR is on by us. As the call:
 * errno, where it is below 0. */
long notify_keep_call(int duplicate, struct outside_event *event, long (*call)(const void *),
                      const void *arguments, _Atomic bool *shared);

/* A call of a program that `keep` does not reach: a bind by number that nothing but a kept socket
 * refused is counted, and the port released, so that a program that tries again gets it. */
void notify_keep_refused(const struct outside_event *event);

#endif
