/* What to do about a finding, in one line. */
#ifndef PORTWITNESS_REPORT_FIX_H
#define PORTWITNESS_REPORT_FIX_H

#include "harness/check/finding.h"

/* The fix for it; NULL for notes. */
const char *fix_of(const struct finding *finding);

#endif
