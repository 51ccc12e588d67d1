/* Counting what the attempts of a round came to. */
#ifndef PORTWITNESS_PUBLISH_TALLY_H
#define PORTWITNESS_PUBLISH_TALLY_H

#include "harness/publish/storm.h"

/* Adds one round of the publishers on the board. */
void tally_round(struct storm_result *result, const struct storm_plan *plan, struct board *board);

#endif
