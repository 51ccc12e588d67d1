/* Options and trace names of a subcommand that reads traces. */
#ifndef PORTWITNESS_CLI_ARGUMENTS_H
#define PORTWITNESS_CLI_ARGUMENTS_H

#include <popt.h>
#include <stdbool.h>

enum { ARGUMENTS_VALUES = 8 };

struct arguments {
    poptContext context; /* owns the traces' names */
    char *values[ARGUMENTS_VALUES];
    const char **traces; /* ended by NULL; there is at least one, and each is another trace */
    char title[64];      /* "portwitness ports": what help and messages begin with */
};

/* Parses the options of `table`, which fills the caller's variables. An option whose `val` is below
 * ARGUMENTS_VALUES and not 0, and whose `arg` is NULL, leaves its value in `values` there, the last
 * one if it is repeated. true to go on; otherwise *status is the exit status: after --help (0), or
 * after an error that was told (2), and nothing is left to free. A trace that is named more than
 * once, or beside a copy of it, is told of on stderr and stands in `traces` once. */
bool arguments_parse(struct arguments *arguments, int argc, char **argv,
                     const struct poptOption *table, const char *explanation, int *status);

/* The value at `index` of `option` (without dashes) as a decimal number from `low` to `high`; -1 in
 * *number if it was not given. false, with one line on stderr that names it, if it is none. */
bool arguments_number(const struct arguments *arguments, int index, const char *option, long low,
                      long high, long *number);

/* Frees what was parsed. */
void arguments_free(struct arguments *arguments);

#endif
