/* Options and trace names of a subcommand that reads traces. */
#ifndef PORTWITNESS_CLI_ARGUMENTS_H
#define PORTWITNESS_CLI_ARGUMENTS_H

#include <popt.h>
#include <stdbool.h>

struct arguments {
    poptContext context; /* owns the strings */
    const char **traces; /* ended by NULL; there is at least one */
    char title[64];      /* "portwitness ports": what help and messages begin with */
};

/* Parses the options of `table`, which fills the caller's variables. true to go on; otherwise
 * *status is the exit status: after --help (0), or after an error that was told (2). */
bool arguments_parse(struct arguments *arguments, int argc, char **argv,
                     const struct poptOption *table, const char *explanation, int *status);

/* Frees what was parsed. */
void arguments_free(struct arguments *arguments);

#endif
