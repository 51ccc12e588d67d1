/* Counting what the attempts of a round came to. */
#ifndef PORTWITNESS_STORM_STATISTICS_H
#define PORTWITNESS_STORM_STATISTICS_H

#include "harness/storm/rounds.h"

/* Adds one round of the publishers on the board. */
void tally_round(struct storm_result *result, const struct storm_plan *plan, struct board *board);

#endif
