/* How reports write the place that a call was made from: "free_port tests/conftest.py:13". */
#ifndef PORTWITNESS_REPORT_CALL_PLACE_H
#define PORTWITNESS_REPORT_CALL_PLACE_H

#include "harness/check/source_place.h"
#include "harness/report/finding_sides.h"

/* Function, file and line as far as they are known; "" where neither function nor file is. A file
 * below the current folder is named from there. */
const char *place_words(const char *function, const char *file, uint32_t line,
                        char text[SIDE_TEXT_SIZE]);

/* The line of the user's source, else what is known of the place, as side_site has it. */
const char *call_place(const struct check *check, struct source_lines *lines,
                       const struct call *call, char text[SIDE_TEXT_SIZE]);

/* The same, but "" where no line of a source is known. */
const char *call_source(const struct check *check, struct source_lines *lines,
                        const struct call *call, char text[SIDE_TEXT_SIZE]);

#endif
