/* What theory says of lost races. portwitness-storm(1) has the derivation. */
#ifndef PORTWITNESS_STORM_EXPECTATION_H
#define PORTWITNESS_STORM_EXPECTATION_H

#include "harness/storm/shared_state.h"
#include "harness/system/network.h"

/* Sums over the rounds of a storm. Zero-initialized nothing was expected. */
struct expected {
    double mean;
    double variance;
};

struct expected_interval {
    double low;
    double high;
};

/* One attempt of a round and who made it. */
struct ticket {
    const struct attempt *attempt;
    uint32_t publisher;
};

/* Adds what is to be expected of one round, from when numbers were chosen and bound alone: which
 * numbers, and whether a bind failed, is not looked at. `apart`: a publisher's own numbers differ.
 */
void expected_add_round(struct expected *expected, const struct ticket *tickets, size_t count,
                        const struct port_range *range, bool apart);

/* The interval that a count with this expectation leaves by chance once in 10,000 times. */
struct expected_interval expected_interval(const struct expected *expected);

#endif
