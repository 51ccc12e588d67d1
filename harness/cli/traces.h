/* The command line of a command that reads traces. */
#ifndef PORTWITNESS_CLI_TRACES_H
#define PORTWITNESS_CLI_TRACES_H

#include "harness/cli/options.h"

/* As options_parse; the operands are traces, of which there is at least one. Those that are named
 * twice, or beside a copy, are left out with a line on stderr. The names, ended by NULL, are to be
 * freed, each of them not; NULL where *status is the exit status. */
const char **traces_parse(const struct command *command, int argc, char **argv, void *into,
                          int *status);

#endif
