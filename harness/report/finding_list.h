/* Findings as text, in the form of a sanitizer's reports. */
#ifndef PORTWITNESS_REPORT_FINDING_TEXT_H
#define PORTWITNESS_REPORT_FINDING_TEXT_H

#include <stdio.h>

#include "harness/check/check.h"
#include "harness/check/suppressions.h"

struct finding_text_options {
    bool all;   /* every finding in full, also those like one before */
    bool quiet; /* findings alone: no line where there are none */
    FILE *to;
};

/* Writes the findings, the limits of the evidence and the verdict. */
void finding_text_write(const struct check *check, const struct suppressions *suppressions,
                        const struct finding_text_options *options);

#endif
