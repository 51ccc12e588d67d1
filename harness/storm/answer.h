/* What a publisher does while it holds its ports: whoever connects gets its token. */
#ifndef PORTWITNESS_STORM_ANSWER_H
#define PORTWITNESS_STORM_ANSWER_H

#include "harness/storm/publisher.h"

/* Answers connections and datagrams until the event that ends the round. */
void answer_until_event(struct publisher *publisher);

#endif
