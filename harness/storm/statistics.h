/* Counting what the attempts of a round came to. */
#ifndef PORTWITNESS_STORM_STATISTICS_H
#define PORTWITNESS_STORM_STATISTICS_H

#include "harness/storm/rounds.h"

/* Adds one round of the publishers on the shared. */
void statistics_round(struct storm_result *result, const struct storm_plan *plan,
                      struct shared_state *shared);

#endif
