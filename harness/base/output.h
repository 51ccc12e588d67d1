/* Standard output that does not lose anything silently. */
#ifndef PORTWITNESS_BASE_OUTPUT_H
#define PORTWITNESS_BASE_OUTPUT_H

#include <stdbool.h>

/* Before anything is written: a closed pipe becomes an error that output_finish reports. Not for a
 * command that starts programs, which would inherit the ignored SIGPIPE. */
void output_begin(void);

/* Has a write to standard output failed already? Then there is no point in going on. */
bool output_failed(void);

/* Writes out what is left. false, with one line on stderr, if anything was not written. */
bool output_finish(void);

#endif
