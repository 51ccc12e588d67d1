/* Findings as text, in the form of a sanitizer's reports. */
#ifndef PORTWITNESS_REPORT_FINDING_LIST_H
#define PORTWITNESS_REPORT_FINDING_LIST_H

#include <stdio.h>

#include "harness/check/baseline.h"
#include "harness/check/check.h"
#include "harness/check/suppressions.h"

struct finding_list_options {
    bool all;     /* every finding by itself, also those like one before */
    bool verbose; /* each in full */
    bool
        quiet; /* findings alone: no line where there are none, but that the command was not seen */
    bool colour;
    FILE *to;
};

/* Writes the findings, the limits of the evidence and the verdict. */
void finding_list_write(const struct check *check, const struct suppressions *suppressions,
                        const struct baseline *baseline,
                        const struct finding_list_options *options);

#endif
