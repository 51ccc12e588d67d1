/* Writing the name of a test into a trace. */
#ifndef PORTWITNESS_TRACE_MARKS_H
#define PORTWITNESS_TRACE_MARKS_H

#include <stdint.h>

/* Appends a marker to the trace at `path`: the test `name` starts or, with PW_FLAG_MARKER_END among
 * the flags, ends, with the outcome that stands there. The marker
 * bears the serial of this process, if the shim in it has recorded its start; whose test it is, its
 * parent's, is for the reader to say. NULL, or why it could not be done. */
const char *mark_write(const char *path, const char *name, uint64_t flags);

#endif
