/* portwitness ports: each request for a port beside the port that was assigned. */
#include <limits.h>
#include <stdlib.h>

#include "harness/base/output.h"
#include "harness/base/statuses.h"
#include "harness/cli/commands.h"
#include "harness/cli/traces.h"
#include "harness/report/ports_report.h"

enum {
    OPTION_PID = 256,
    OPTION_PORT,
    OPTION_PROGRAM,
    OPTION_ONLY_EPHEMERAL,
    OPTION_FAILED,
    OPTION_JSON
};

static const struct argp_option options[] = {
    {"pid", OPTION_PID, "N", 0, "Only requests by this process", 0},
    {"port", OPTION_PORT, "N", 0, "Only this port", 0},
    {"program", OPTION_PROGRAM, "NAME", 0, "Only requests by this program", 0},
    {"only-ephemeral", OPTION_ONLY_EPHEMERAL, NULL, 0,
     "Only requests that left the port to the kernel", 0},
    {"failed", OPTION_FAILED, NULL, 0, "Only requests that failed, instead of those that did not",
     0},
    {"json", OPTION_JSON, NULL, 0,
     "One JSON object a line, times in nanoseconds of CLOCK_MONOTONIC", 0},
    {0}};

static bool take_number(const struct option_value *value, uint64_t least, uint64_t most,
                        int64_t *number) {
    uint64_t read = 0;
    bool good = option_number(value, least, most, &read);
    *number = (int64_t)read;
    return good;
}

static bool take(void *into, const struct option_value *value) {
    struct ports_selection *selection = into;
    switch (value->key) {
    case OPTION_PID:
        return take_number(value, 1, INT_MAX, &selection->pid);
    case OPTION_PORT:
        return take_number(value, 0, UINT16_MAX, &selection->port);
    case OPTION_PROGRAM:
        selection->program = value->text;
        return true;
    case OPTION_ONLY_EPHEMERAL:
        return selection->only_ephemeral = true;
    case OPTION_FAILED:
        return selection->failed = true;
    default:
        return selection->json = true;
    }
}

static int run(int argc, char **argv) {
    struct ports_selection selection = {.pid = -1, .port = -1};
    int status;

    output_begin();
    const char **traces = traces_parse(&ports_command, argc, argv, &selection, &status);
    if (traces == NULL)
        return status;
    bool good = ports_report_write(&selection, traces);
    free(traces);
    return !output_finish() ? STATUS_UNWRITTEN : good ? STATUS_GOOD : STATUS_USAGE;
}

const struct command ports_command = {
    .name = "ports",
    .summary = "Lists the port requests in traces and the ports assigned",
    .operands = "TRACE...",
    .about = "Lists the requests for ports in traces, one a line.",
    .notes =
        "REQUESTED is the port that was asked for, 0 for any; PORT the one that was assigned. "
        "FROM and TO are when the port was held, in seconds since the trace was made. END is "
        "how the end is known: closed, inferred (nobody saw the close, but what came after "
        "it), exit, destroyed (the kernel's notice), connect-failed, shutdown, disconnect, or "
        "not seen. A question mark behind it: a record that concerns the socket is torn. With "
        "--failed, FROM is when the request began and END names the error. PLACE is the line of "
        "the source that asked, where any is known. If several traces are named, TRACE names the "
        "row's.\n\n"
        "The exit status is 0; 2 if the usage is wrong or a trace cannot be read; 1 if the "
        "output cannot be written.",
    .examples = {"ports test.trace", "ports --failed --program python3 test.trace"},
    .wrong_usage = STATUS_USAGE,
    .options = options,
    .take = take,
    .run = run};
