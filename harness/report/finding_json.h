/* Findings as one JSON object. */
#ifndef PORTWITNESS_REPORT_FINDING_JSON_H
#define PORTWITNESS_REPORT_FINDING_JSON_H

#include <stdio.h>

#include "harness/check/baseline.h"
#include "harness/check/check.h"
#include "harness/check/suppressions.h"

/* Writes the object, whose keys portwitness-json(5) lists, on one line. `baseline`: NULL: there is
 * none. */
void finding_json_write(const struct check *check, const struct suppressions *suppressions,
                        const struct baseline *baseline, FILE *to);

#endif
