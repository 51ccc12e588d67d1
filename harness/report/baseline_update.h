/* A baseline written again with the findings of a run. */
#ifndef PORTWITNESS_REPORT_BASELINE_UPDATE_H
#define PORTWITNESS_REPORT_BASELINE_UPDATE_H

#include "harness/check/baseline.h"
#include "harness/check/check.h"

/* Adds the findings to the baseline as it was read, marks them as known, and writes the file. What
 * was not seen is removed only where the run can have shown it: see the answer on stderr. false,
 * with another line there and no finding known, where the file cannot be written. */
bool baseline_update(struct baseline *baseline, struct check *check, const char *path);

#endif
