/* Every record of a trace in a form that other programs read. */
#include "harness/report/export.h"

#include <stdio.h>

#include "harness/base/json_stream.h"
#include "harness/base/output.h"
#include "harness/report/evidence.h"
#include "harness/report/record_json.h"
#include "harness/trace/each_trace.h"

static void export_trace(void *with, struct trace_reader *reader, const char *path) {
    (void)with;
    struct processes processes = {0};
    struct modules modules = {0};
    struct strings strings = {0};
    struct evidence evidence = {0};
    struct record_json_source source = {trace_reader_header(reader), path, &processes, &modules,
                                        &strings};
    struct trace_record record;
    struct json_stream lines = {0};

    /* A child's records can stand before its parent's record of the fork, and a file's map behind
     * the first address in it: names are gathered before anything is written. */
    while (trace_reader_next(reader, &record) == TRACE_NEXT_RECORD) {
        processes_note(&processes, &record);
        modules_note(&modules, &record);
        strings_note(&strings, &record);
        evidence_note(&evidence, &record);
    }
    trace_reader_rewind(reader);
    while (!output_failed() && trace_reader_next(reader, &record) == TRACE_NEXT_RECORD) {
        record_json_write(&lines, &record, &source);
        json_stream_end_line(&lines);
    }
    json_stream_finish(&lines);
    evidence_write(&evidence, reader, path, stderr);
    strings_free(&strings);
    modules_free(&modules);
    processes_free(&processes);
}

bool export_write(const char *const *traces) { return each_trace(traces, export_trace, NULL); }
