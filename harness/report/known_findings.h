/* Findings held against a baseline. */
#ifndef PORTWITNESS_REPORT_KNOWN_FINDINGS_H
#define PORTWITNESS_REPORT_KNOWN_FINDINGS_H

#include "harness/check/baseline.h"
#include "harness/check/check.h"

/* Marks the findings that stand in the baseline as known. */
void known_findings_mark(struct baseline *baseline, struct check *check);

/* Adds those that are an error or a hazard and not suppressed to the baseline, and marks them. */
void known_findings_add(struct baseline *baseline, struct check *check);

#endif
