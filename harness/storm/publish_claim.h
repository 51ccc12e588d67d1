/* The claim record: what a publisher says that it holds. */
#ifndef PORTWITNESS_STORM_PUBLISH_CLAIM_H
#define PORTWITNESS_STORM_PUBLISH_CLAIM_H

#include "harness/storm/publisher.h"

/* Writes into the trace that the publisher holds the endpoint for the publication's mapping. */
void claim_write(struct publisher *publisher, const struct publication *publication,
                 const struct endpoint *endpoint);

#endif
