/* The value of --policy. */
#ifndef PORTWITNESS_BASE_POLICY_OPTION_H
#define PORTWITNESS_BASE_POLICY_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "shim/shared/policy_format.h"

struct policy_option {
    struct pw_policy_config config;
    char text[64]; /* as it stands in the trace: what was left out is filled in */
};

/* Reads `kernel`, `soonest`, `quarantine[:SECONDS]` or `seeded:N`, or `range:LOW-HIGH` alone or
 * behind one of them and a comma. false, with part of a sentence in `problem`, where it is invalid.
 */
bool policy_option_parse(const char *text, struct policy_option *option, char *problem,
                         size_t size);

/* Whether the option leaves all to the kernel. */
bool policy_option_is_kernel(const struct policy_option *option);

#endif
