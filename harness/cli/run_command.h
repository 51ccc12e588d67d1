/* The command line of `portwitness run`. */
#ifndef PORTWITNESS_CLI_RUN_COMMAND_H
#define PORTWITNESS_CLI_RUN_COMMAND_H

#include "harness/report/check_report.h"
#include "harness/run/run_options.h"

/* Fills *options and *check from the arguments of `run` (argv[0] is "run"), into which they point.
 * false where *status is the exit status: after help, or after a complaint. */
bool run_options_parse(struct run_options *options, struct check_request *check, int argc,
                       char **argv, int *status);

#endif
