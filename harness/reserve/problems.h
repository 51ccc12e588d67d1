/* What went wrong with reserved ports, as the trace of the command shows it. */
#ifndef PORTWITNESS_RESERVE_PROBLEMS_H
#define PORTWITNESS_RESERVE_PROBLEMS_H

#include <stdbool.h>
#include <stdio.h>

#include "harness/reserve/hold.h"

/* Reads the trace and writes a line for each program that could not use a reserved port as one:
 * that binds it without SO_REUSEADDR, that binds it over UDP, or that found somebody else on it.
 * `failed`: the command did; then programs that could not be seen are reported as well. */
void reserve_problems_report(const char *trace, const struct held_ports *held, bool failed,
                             FILE *to);

#endif
