/*
 * PORTWITNESS_RUN: what `run` says to each program below it. It is not in the trace, since others
 * may write to that. "1:FILTERS:KIND.QUARANTINE.LOW.HIGH.SEED", all numbers decimal: the seccomp
 * filters that are on everything that `run` starts and were tried by it, and the policy.
 */
#ifndef PORTWITNESS_SHARED_RUN_VARIABLE_H
#define PORTWITNESS_SHARED_RUN_VARIABLE_H

#include <stdbool.h>

#include "shim/shared/policy_format.h"

#define RUN_VARIABLE "PORTWITNESS_RUN"
#define RUN_VARIABLE_BYTES 96

struct run_variable {
    unsigned filters;
    struct pw_policy_config policy;
};

/* Reads a value. false, with no filters and the kernel's own choice, where it says nothing that
 * `run` would: NULL, empty, "0". */
bool run_variable_read(const char *value, struct run_variable *run);

#endif
