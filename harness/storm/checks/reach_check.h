/* The third check: does whoever announced an endpoint answer there? */
#ifndef PORTWITNESS_STORM_CHECKS_REACH_CHECK_H
#define PORTWITNESS_STORM_CHECKS_REACH_CHECK_H

#include "harness/storm/checks/announced.h"
#include "harness/storm/checks/check_result.h"

/* Connects, or sends a datagram, to each announced endpoint and compares the token that comes back.
 * The clients' source ports are outside of `low` to `high`, the local port range, and they close
 * with a reset, so that nothing is left in the range afterwards. */
void reach_check(const struct announcements *announcements, unsigned low, unsigned high,
                 struct verdict *verdict);

#endif
