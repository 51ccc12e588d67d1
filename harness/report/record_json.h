/* A record of a trace as a JSON object: the text form of traces. */
#ifndef PORTWITNESS_REPORT_RECORD_JSON_H
#define PORTWITNESS_REPORT_RECORD_JSON_H

#include "harness/base/json_stream.h"
#include "harness/trace/modules.h"
#include "harness/trace/processes.h"
#include "harness/trace/reader.h"
#include "harness/trace/strings.h"

/* What the names in a record's object come from. */
struct record_json_source {
    const struct pw_header *header;
    const char *trace; /* the trace's name */
    const struct processes *processes;
    const struct modules *modules;
    const struct strings *strings;
};

/* Writes the object of one record. Every record has the same keys, null where
 * there is nothing to say, boot and trace (its name) the last; behind them those of its kind alone:
 *   processes     identity_pid identity_comm serial parent parent_pid uid start_time pid_namespace,
 *                 arguments (a list) at a start, text (the path) at an exec
 *   option        option value, seconds for linger        shutdown   how
 *   accept, descriptor   other_fd other_cookie: the listener's, or those of the duplicated one
 *   namespace     inode port_range ip_autobind_reuse, text (the reserved ports)
 *   module        range file_offset build_id, text (the path)        stack   addresses
 *   destroyed, table-answer   tcp_state, owner_pid
 *   blind-spot    reason blind_pid, text (the program)    lost       cause lost
 *   string, claim, marker     text             marker     outcome
 * `requested`, `assigned` and `peer` are objects of address and port, `site` of module and offset,
 * `frames` a list of objects of file, function, line and of (whose code it is), null where the
 * record has none. */
void record_json_write(struct json_stream *to, const struct trace_record *record,
                       const struct record_json_source *source);

#endif
