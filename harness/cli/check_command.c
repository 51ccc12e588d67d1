/* portwitness check: what went wrong with ports in a run, and what nearly did. */
#include <stdlib.h>
#include <string.h>

#include "harness/base/output.h"
#include "harness/base/statuses.h"
#include "harness/cli/commands.h"
#include "harness/cli/traces.h"
#include "harness/report/check_report.h"

enum { OPTION_FAIL_ON = 256, OPTION_STRICT, OPTION_SUPPRESSIONS, OPTION_ALL, OPTION_JSON };

static const struct argp_option options[] = {
    {"fail-on", OPTION_FAIL_ON, "SEVERITY", 0,
     "Exit status 1 from this severity on: error (default), hazard or never", 0},
    {"strict", OPTION_STRICT, NULL, 0,
     "Exit status 3 if nothing was found, but the evidence is incomplete", 0},
    {"suppressions", OPTION_SUPPRESSIONS, "FILE", 0,
     "Leave out the findings that a line of this file matches", 0},
    {"all", OPTION_ALL, NULL, 0, "Every finding in full, also those like one before", 0},
    {"quiet", 'q', NULL, 0, "Nothing where there are no findings", 0},
    {"json", OPTION_JSON, NULL, 0, "One JSON object instead of the text", 0},
    {0}};

static bool take_fail_on(struct check_request *request, const struct option_value *value) {
    static const char *const names[] = {"error", "hazard", "never"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(value->text, names[i]) == 0) {
            request->fail_on = (enum fail_on)i;
            return true;
        }
    return option_wrong(value, "must be error, hazard or never");
}

static bool take(void *into, const struct option_value *value) {
    struct check_request *request = into;
    switch (value->key) {
    case OPTION_FAIL_ON:
        return take_fail_on(request, value);
    case OPTION_STRICT:
        return request->strict = true;
    case OPTION_SUPPRESSIONS:
        request->suppressions = value->text;
        return true;
    case OPTION_ALL:
        return request->all = true;
    case OPTION_JSON:
        return request->json = true;
    default:
        return request->quiet = true;
    }
}

static int run(int argc, char **argv) {
    struct check_request request = {.to = stdout};
    int status;

    output_begin();
    const char **traces = traces_parse(&check_command, argc, argv, &request, &status);
    if (traces == NULL)
        return status;
    request.traces = traces;
    while (traces[request.count] != NULL)
        request.count++;
    status = check_report(&request);
    free(traces);
    return output_finish() ? status : STATUS_UNWRITTEN;
}

const struct command check_command = {
    .name = "check",
    .summary = "Finds port races and other problems in traces",
    .operands = "TRACE...",
    .about =
        "Finds ports that were handed out twice, races for a port that were lost or could "
        "have been, addresses in use and who had them, and other problems; portwitness-check(1) "
        "lists the findings. Traces of one host and boot are read together.",
    .notes = "A suppressions file has lines of kind:PATTERN, cause:PATTERN, program:PATTERN, "
             "module:PATTERN, test:PATTERN and port:N-M. The exit status is 0 if nothing at or "
             "above --fail-on was found, 1 if "
             "something was, 2 if the usage is wrong or a file cannot be read, and 3 with --strict "
             "if nothing was found but something could not be seen.",
    .examples = {"check test.trace", "check --fail-on hazard --json *.trace"},
    .wrong_usage = STATUS_USAGE,
    .options = options,
    .take = take,
    .run = run};
