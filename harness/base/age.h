/* Spans and moments of wall-clock time, as a person says them. */
#ifndef PORTWITNESS_BASE_AGE_H
#define PORTWITNESS_BASE_AGE_H

#include <stdint.h>

enum { AGE_TEXT_SIZE = 32 };

/* "400 ms", "12 s", "3 min", "5 h", "2 days". Returns `text`. */
const char *age_text(uint64_t ns, char text[AGE_TEXT_SIZE]);

/* "14:02:11", or "2026-11-28 14:02:11" where that is another day than `other_ns`, both
 * CLOCK_REALTIME, in the reader's time zone. Returns `text`. */
const char *moment_text(uint64_t ns, uint64_t other_ns, char text[AGE_TEXT_SIZE]);

#endif
