/* A whole `portwitness stress`. */
#ifndef PORTWITNESS_STRESS_STRESS_H
#define PORTWITNESS_STRESS_STRESS_H

#include "harness/stress/stress_options.h"

/* Runs all rounds and reports on them. Returns the exit status: 0; 1 where a copy failed or an
 * error was found; 125 where portwitness failed; 128+N after signal N. */
int stress(const struct stress_options *options);

#endif
