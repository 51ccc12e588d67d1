/* The arguments of `portwitness storm`. */
#ifndef PORTWITNESS_CLI_STORM_OPTIONS_H
#define PORTWITNESS_CLI_STORM_OPTIONS_H

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
    unsigned range_low; /* 0: the system's */
    unsigned range_high;
    bool reuse_address;
    bool reuse_port;
    bool probes_closed_at_once; /* Kind before v0.22 */
    bool json;
    const char *trace; /* NULL: a temporary one */
    const char *file;  /* NULL: the built-in mappings */
};

/* Parses. true to go on; otherwise *status is the exit status: after --help (0), or after an error
 * that was told (2). */
bool storm_options_parse(struct storm_options *options, int argc, char **argv, int *status);

#endif
