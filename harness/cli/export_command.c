/* portwitness export: every record of a trace in a form that other programs read. */
#include <stdio.h>
#include <string.h>

#include "harness/base/json_line.h"
#include "harness/base/message.h"
#include "harness/base/output.h"
#include "harness/cli/arguments.h"
#include "harness/cli/commands.h"
#include "harness/report/evidence.h"
#include "harness/report/record_json.h"

static const char explanation[] =
    "\nWrites JSON Lines: one object a record, with the keys seq, host, netns, process (the "
    "serial\n"
    "in the trace), pid, tid, comm, call, fd, cookie, family, type, protocol, requested, "
    "assigned,\n"
    "peer, error, begin_ns, end_ns, source, flags, site, kind, state (committed or torn), boot "
    "and\n"
    "trace, then those of its kind. Absent values are null, times are nanoseconds of\n"
    "CLOCK_MONOTONIC. A number over 2^63 - 1 is written as a string. The man page tells of each\n"
    "key. The exit status is 0; 2 if the usage is wrong or a trace cannot be read; 1 if the "
    "output\n"
    "cannot be written.\n";

static void export_trace(struct trace_reader *reader, const char *path) {
    struct processes processes = {0};
    struct modules modules = {0};
    struct evidence evidence = {0};
    struct record_json_source source = {trace_reader_header(reader), path, &processes, &modules};
    struct trace_record record;

    /* A child's records can stand before its parent's record of the fork, and a file's map behind
     * the first address in it: names are gathered before anything is written. */
    while (trace_reader_next(reader, &record) == TRACE_NEXT_RECORD) {
        processes_note(&processes, &record);
        modules_note(&modules, &record);
        evidence_note(&evidence, &record);
    }
    trace_reader_rewind(reader);
    while (!output_failed() && trace_reader_next(reader, &record) == TRACE_NEXT_RECORD)
        json_line_write(record_json(&record, &source));
    evidence_write(&evidence, reader, path, stderr);
    modules_free(&modules);
    processes_free(&processes);
}

enum { VALUE_FORMAT = 1 };

int export_command(int argc, char **argv) {
    const struct poptOption options[] = {{"format", 'f', POPT_ARG_STRING, NULL, VALUE_FORMAT,
                                          "The format: jsonl, the only one there is", "FORMAT"},
                                         POPT_TABLEEND};
    struct arguments arguments = {0};
    const char *format;
    int status;

    output_begin();
    if (!arguments_parse(&arguments, argc, argv, options, explanation, &status))
        return status;
    format = arguments.values[VALUE_FORMAT];
    if (format == NULL || strcmp(format, "jsonl") != 0) {
        if (format == NULL)
            fputs("portwitness export: --format is needed; there is jsonl\n", stderr);
        else
            message_write(stderr, "portwitness export: --format %s: there is jsonl", format);
        arguments_free(&arguments);
        return STATUS_USAGE;
    }
    for (const char **path = arguments.traces; *path != NULL && !output_failed(); path++) {
        struct trace_reader_problem problem;
        struct trace_reader *reader = trace_reader_open(*path, &problem);

        if (reader == NULL) {
            message_write(stderr, "portwitness: %s: %s", *path, problem.what);
            status = STATUS_USAGE;
            continue;
        }
        export_trace(reader, *path);
        trace_reader_close(reader);
    }
    arguments_free(&arguments);
    if (!output_finish())
        return 1;
    return status;
}
