/* What the evidence of a check lacks, as findings of their own. */
#ifndef PORTWITNESS_CHECK_LIMITS_H
#define PORTWITNESS_CHECK_LIMITS_H

#include "harness/check/check.h"

/* Adds a note for each blind spot, cause of loss, kind of damage, and for inferred releases. */
void limits_report(struct check *check);

/* Has the `run` of the trace ended before it had written all that it saw? Not where it still runs,
 * as it does when a test runner looks at the trace. */
bool limits_is_unfinished(const struct pw_header *header);

/* Said of such a trace. */
#define LIMITS_UNFINISHED                                                                          \
    "what came after `portwitness run` was killed, and what it had not written yet"

#endif
