/* What the evidence of a check lacks, as findings of their own. */
#ifndef PORTWITNESS_CHECK_LIMITS_H
#define PORTWITNESS_CHECK_LIMITS_H

#include "harness/check/check.h"

/* Adds a note for each blind spot, cause of loss, kind of damage, and for inferred releases. */
void limits_report(struct check *check);

/* Said of a trace whose `run` has not ended by itself. */
#define LIMITS_UNFINISHED                                                                          \
    "what `portwitness run` had seen and not written when it was killed, or has not written yet"

#endif
