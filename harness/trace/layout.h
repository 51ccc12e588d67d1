/* What stands where in the units of a record. */
#ifndef PORTWITNESS_TRACE_LAYOUT_H
#define PORTWITNESS_TRACE_LAYOUT_H

#include "harness/trace/reader.h"

/* Fills *record from the units of one record, whose first is at `units` and whose head, state
 * included, was read as `head`. `text` takes the record's text or
 * addresses: it is aligned for these and has room for PW_RECORD_UNITS_MAX * PW_TEXT_BYTES + 1
 * bytes. */
void layout_decode(struct trace_record *record, uint32_t head, uint64_t unit,
                   const union pw_unit *units, char *text);

#endif
