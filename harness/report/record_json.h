/* A record of a trace as a JSON object: the text form of traces. */
#ifndef PORTWITNESS_REPORT_RECORD_JSON_H
#define PORTWITNESS_REPORT_RECORD_JSON_H

#include <jansson.h>

#include "harness/trace/modules.h"
#include "harness/trace/processes.h"
#include "harness/trace/reader.h"

/* What the names in a record's object come from. */
struct record_json_source {
    const struct pw_header *header;
    const struct processes *processes;
    const struct modules *modules;
};

/* The object of one record, to be dropped by the caller. Every record has the same keys, null where
 * there is nothing to say; behind them those of its kind alone. */
json_t *record_json(const struct trace_record *record, const struct record_json_source *source);

#endif
