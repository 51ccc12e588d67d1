/* `portwitness run`: a command under portwitness run. */
#ifndef PORTWITNESS_RUN_RUN_H
#define PORTWITNESS_RUN_RUN_H

#include <stdbool.h>

/* Looks at the trace of a run with --check. Returns an exit status; `quiet`: tells nothing where
 * nothing was found. */
typedef int run_checker(const char *trace, bool quiet);

/* Runs the command that the arguments name (argv[0] is "run") and returns the exit status for
 * portwitness: the command's, 128+N after signal N, 127, 126, or 125 where portwitness failed.
 * With --check, what `check` returns where the command's is 0. */
int run_with(int argc, char **argv, run_checker *check);

#endif
