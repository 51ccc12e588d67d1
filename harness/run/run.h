/* `portwitness run`: a command under portwitness run. */
#ifndef PORTWITNESS_RUN_RUN_H
#define PORTWITNESS_RUN_RUN_H

#include <stdbool.h>

#include "harness/run/run_options.h"

/* Looks at the trace of a run with --check. Returns an exit status. */
typedef int run_checker(void *with, const char *trace);

/* Runs the command of the options and returns the exit status for portwitness: the command's, 128+N
 * after signal N, 127, 126, or 125 where portwitness failed. Where its check is asked for, what
 * `check` returns if the command's is 0. */
int run_recording(const struct run_options *options, run_checker *check, void *with);

#endif
