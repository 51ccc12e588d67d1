/* By which means a program was seen, as the sources of its records tell. */
#ifndef PORTWITNESS_TRACE_SEEN_BY_H
#define PORTWITNESS_TRACE_SEEN_BY_H

#include "harness/trace/reader.h"

enum { SEEN_BY_SHIM = 1, SEEN_BY_EBPF = 2, SEEN_BY_SECCOMP = 4 };

/* One of these; 0 where the record is of nobody's doing, or what others say of a process. */
unsigned seen_by_record(const struct trace_record *record);

#endif
