/* The commands, in the order in which they are used. */
#ifndef PORTWITNESS_CLI_COMMANDS_H
#define PORTWITNESS_CLI_COMMANDS_H

#include "harness/cli/options.h"

extern const struct command run_command;
extern const struct command check_command;
extern const struct command stress_command;
extern const struct command reserve_command;
extern const struct command ports_command;
extern const struct command explain_command;
extern const struct command plan_command;
extern const struct command storm_command;
extern const struct command export_command;
extern const struct command mark_command;

#endif
