/* The options that `check` and `run --check` have in common. */
#ifndef PORTWITNESS_CLI_CHECK_OPTIONS_H
#define PORTWITNESS_CLI_CHECK_OPTIONS_H

#include "harness/cli/options.h"
#include "harness/report/check_report.h"

extern const struct argp_option check_options[];

/* The name of the one with that key; NULL: none has it. */
const char *check_options_name(int key);

/* Takes one of them into *request. false after a complaint. */
bool check_options_take(struct check_request *request, const struct option_value *value);

/* What is wrong with them together, NULL: nothing. */
const char *check_options_problem(const struct check_request *request);

#endif
