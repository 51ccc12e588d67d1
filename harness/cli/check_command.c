/* portwitness check: what went wrong with ports in a run, and what nearly did. */
#include <stdlib.h>

#include "harness/base/output.h"
#include "harness/base/statuses.h"
#include "harness/cli/check_options.h"
#include "harness/cli/commands.h"
#include "harness/cli/traces.h"

static const struct argp_option options[] = {
    {"quiet", 'q', NULL, 0, "Nothing where there are no findings", 0}, {0}};

static bool take(void *into, const struct option_value *value) {
    struct check_request *request = into;
    return check_options_name(value->key) != NULL ? check_options_take(request, value)
                                                  : (request->quiet = true);
}

static int run(int argc, char **argv) {
    struct check_request request = {.to = stdout, .json_to = stdout};
    int status;

    output_begin();
    const char **traces = traces_parse(&check_command, argc, argv, &request, &status);
    if (traces == NULL)
        return status;
    if (check_options_problem(&request) != NULL) {
        free(traces);
        return usage_error(&check_command, "%s", check_options_problem(&request));
    }
    request.traces = traces;
    while (traces[request.count] != NULL)
        request.count++;
    status = check_report(&request);
    free(traces);
    /* 1 would be taken for findings. */
    return output_finish() ? status : STATUS_USAGE;
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
    .shared_options = check_options,
    .take = take,
    .run = run};
