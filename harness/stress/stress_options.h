/* What `portwitness stress` is asked for. */
#ifndef PORTWITNESS_STRESS_STRESS_OPTIONS_H
#define PORTWITNESS_STRESS_STRESS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/policy_option.h"

enum { STRESS_COPIES_MAX = 1000, STRESS_POLICIES_MAX = 16 };

struct stress_options {
    unsigned copies; /* at a time */
    unsigned rounds;
    unsigned timeout_seconds; /* of a copy */
    struct policy_option policies[STRESS_POLICIES_MAX];
    unsigned policy_count; /* at least 1 */
    const char *keep;      /* the folder for what failed; NULL: a new one here */
    bool until_failure;
    bool isolate;
    bool json;
    bool pytest;    /* let pytest say how each test ended */
    char **command; /* ended by NULL; has at least the program */
};

#endif
