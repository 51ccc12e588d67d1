/* A whole `portwitness storm`: what is asked for, and all of it. */
#ifndef PORTWITNESS_STORM_STORM_H
#define PORTWITNESS_STORM_STORM_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/policy_option.h"

enum { STORM_STRATEGIES_MAX = 32 };

struct storm_options {
    int strategies[STORM_STRATEGIES_MAX]; /* indexes in the table, in the order asked for */
    unsigned strategy_count;
    uint32_t publishers;
    uint32_t rounds;
    uint32_t background;
    uint32_t daemons;
    uint64_t seed;
    struct policy_option policy;
    uint64_t window_min_ns;
    uint64_t window_max_ns;
    bool window_given;
    bool private_net;
    uint16_t range_low; /* 0: the system's */
    uint16_t range_high;
    bool reuse_address;
    bool reuse_port;
    bool probes_closed_at_once; /* Kind before v0.22 */
    bool json;
    const char *trace; /* NULL: a temporary one */
    const char *file;  /* NULL: the built-in mappings */
};

/* Runs the storms, one a strategy, and reports on them. Returns the exit status: 0; 1 where
 * something collided, was lost, or the checks do not agree; 2 for bad input; 125 where portwitness
 * failed; 130 where a signal ended it. */
int storm(const struct storm_options *options);

#endif
