/* portwitness export: every record of a trace in a form that other programs read. */
#include <stdlib.h>
#include <string.h>

#include "harness/base/output.h"
#include "harness/base/statuses.h"
#include "harness/cli/commands.h"
#include "harness/cli/traces.h"
#include "harness/report/export.h"

static const struct argp_option options[] = {
    {"format", 'f', "FORMAT", 0, "The format: jsonl is the only one", 0}, {0}};

/* Of an option that is repeated the last one counts. */
static bool take(void *into, const struct option_value *value) {
    const char **format = into;
    *format = value->text;
    return true;
}

static int run(int argc, char **argv) {
    const char *format = NULL;
    int status;

    output_begin();
    const char **traces = traces_parse(&export_command, argc, argv, &format, &status);
    if (traces == NULL)
        return status;
    if (format == NULL || strcmp(format, "jsonl") != 0) {
        const struct option_value value = {&export_command, 'f', "--format", format};
        free(traces);
        if (format == NULL)
            return usage_error(&export_command, "missing option '--format': must be jsonl");
        option_wrong(&value, "must be jsonl");
        return STATUS_USAGE;
    }
    bool good = export_write(traces);
    free(traces);
    return !output_finish() ? STATUS_UNWRITTEN : good ? STATUS_GOOD : STATUS_USAGE;
}

const struct command export_command = {
    .name = "export",
    .summary = "Writes every record of traces as JSON Lines",
    .operands = "TRACE...",
    .about = "Writes JSON Lines: one object a record.",
    .notes =
        "The keys are seq, host, netns, process (the serial in the trace), pid, tid, comm, "
        "call, fd, cookie, family, type, protocol, requested, assigned, peer, error, begin_ns, "
        "end_ns, source, flags, site, kind, state (committed or torn), boot and trace, then "
        "those of its kind. Absent values are null, times are nanoseconds of CLOCK_MONOTONIC. "
        "A number over 2^63 - 1 is written as a string. portwitness-json(5) describes each key.\n\n"
        "The exit status is 0; 2 if the usage is wrong or a trace cannot be read; 1 if the "
        "output cannot be written.",
    .examples = {"export --format jsonl test.trace",
                 "export -f jsonl *.trace | jq -c 'select(.error)'"},
    .wrong_usage = STATUS_USAGE,
    .options = options,
    .take = take,
    .run = run};
