/* Is this file a trace that we can read? */
#ifndef PORTWITNESS_TRACE_HEADER_H
#define PORTWITNESS_TRACE_HEADER_H

#include <stdbool.h>
#include <sys/types.h>

#include "harness/trace/reader.h"
#include "shim/shared/trace_format.h"

/* Reads and checks the header of the open file of `size` bytes. false with *problem filled if it is
 * not a trace that this version can read. */
bool header_check(int file, off_t size, struct pw_header *header,
                  struct trace_reader_problem *problem);

/* How many units the trace has taken: next_unit, but no more than its capacity has room for. */
uint64_t header_units_taken(const struct pw_header *header);

/* Reads up to `size` bytes at `offset`, going on after interruptions and short reads. How many were
 * read; fewer at the file's end or after an error. */
size_t header_read_at(int file, void *buffer, size_t size, off_t offset);

#endif
