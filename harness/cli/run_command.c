/* portwitness run, and the check of its trace where that is asked for. */
#include "harness/run/run.h"

#include <stdio.h>

#include "harness/cli/check_command.h"
#include "harness/cli/commands.h"

enum { STATUS_FAILED = 125 };

static int check_trace(const char *trace, bool quiet) {
    const struct check_request request = {
        .traces = &trace, .count = 1, .quiet = quiet, .to = stderr};
    int status = check_traces(&request);
    return status == STATUS_USAGE ? STATUS_FAILED : status;
}

int run_command(int argc, char **argv) { return run_with(argc, argv, check_trace); }
