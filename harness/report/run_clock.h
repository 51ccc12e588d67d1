/* Times of records as people compare them: from the start of the run, and of the day. */
#ifndef PORTWITNESS_REPORT_RUN_CLOCK_H
#define PORTWITNESS_REPORT_RUN_CLOCK_H

#include "harness/check/check.h"

enum { RUN_CLOCK_TEXT_SIZE = 64 };

/* "1.169 s (14:02:12.581)", with that many digits of the seconds: since the first of the traces of
 * that machine and boot began, and the local time by the clocks in its header. */
const char *run_clock_text(const struct check *check, uint32_t trace, uint64_t ns, int digits,
                           char text[RUN_CLOCK_TEXT_SIZE]);

/* "1.169 s into the run (14:02:12.581)" */
const char *run_clock_into(const struct check *check, uint32_t trace, uint64_t ns,
                           char text[RUN_CLOCK_TEXT_SIZE]);

/* "0.688 s", "12 us": how long something took. */
const char *run_clock_length(uint64_t ns, char text[RUN_CLOCK_TEXT_SIZE]);

#endif
