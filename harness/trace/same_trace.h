/* One trace named twice, under two names, or beside a copy of it, is evidence once. */
#ifndef PORTWITNESS_TRACE_SAME_TRACE_H
#define PORTWITNESS_TRACE_SAME_TRACE_H

#include <stddef.h>

/* Called for each trace that is left out, with the one that it is a copy of. */
typedef void same_trace_report(void *with, const char *left_out, const char *same_as);

/* The names, ended by NULL, without those of a trace that another name stands for already; to be
 * freed, the names themselves not. Of a copy that was made while the trace was written the longer
 * one is kept. What cannot be read as a trace is kept, so that whoever reads it says why. */
const char **same_trace_once(const char *const *paths, same_trace_report *report, void *with);

#endif
