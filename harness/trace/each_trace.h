/* One trace after the other, for commands that show each by itself. */
#ifndef PORTWITNESS_TRACE_EACH_TRACE_H
#define PORTWITNESS_TRACE_EACH_TRACE_H

#include <stdbool.h>

#include "harness/trace/reader.h"

/* Takes one trace: its reader stands before the first record, and is closed by the loop. */
typedef void trace_taker(void *with, struct trace_reader *reader, const char *path);

/* Opens each of the traces, whose names end with NULL, and hands it to `take`, until standard
 * output has failed. false where one could not be read, with one line on stderr for each of those.
 */
bool each_trace(const char *const *paths, trace_taker *take, void *with);

#endif
