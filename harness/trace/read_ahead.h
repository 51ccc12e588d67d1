/* The windows of a trace, copied by a thread while another looks at the ones before. */
#ifndef PORTWITNESS_TRACE_READ_AHEAD_H
#define PORTWITNESS_TRACE_READ_AHEAD_H

#include "harness/trace/window.h"

struct read_ahead;

/* Begins to copy the units [from, to) of the file. NULL where that would not help, or cannot be:
 * there are few, one processor, or no memory or thread. */
struct read_ahead *read_ahead_start(int file, off_t offset, uint64_t from, uint64_t to);

/* Exchanges *window for one that holds `count` units from `from` on. false, with *window as it was,
 * where none comes that does. It is meant for places that are further on each time. */
bool read_ahead_take(struct read_ahead *ahead, struct trace_window **window, uint64_t from,
                     uint64_t count);

/* Ends the thread and frees all; NULL does nothing. */
void read_ahead_stop(struct read_ahead *ahead);

#endif
