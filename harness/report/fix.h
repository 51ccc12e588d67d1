/* What to change so that a finding does not come back. */
#ifndef PORTWITNESS_REPORT_FIX_H
#define PORTWITNESS_REPORT_FIX_H

#include "harness/check/check.h"

#define FIX_TEXT_SIZE 640

/* The fix by the finding's cause, with the words of the program's language where that is known;
 * NULL where there is none. Returns `text`. */
const char *fix_of(const struct check *check, const struct finding *finding,
                   char text[FIX_TEXT_SIZE]);

#endif
