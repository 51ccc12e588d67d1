/* The first check: every claim against every other. */
#ifndef PORTWITNESS_STORM_CHECKS_CLAIMS_CHECK_H
#define PORTWITNESS_STORM_CHECKS_CLAIMS_CHECK_H

#include "harness/storm/checks/announced.h"
#include "harness/storm/checks/check_result.h"

struct claims_result {
    uint64_t collisions; /* claims that overlap an earlier one unlawfully */
    uint64_t shared;     /* ... lawfully: a reuse option was set */
};

/* Compares all claims by endpoint. Each collision is a difference. */
void claims_check(const struct announcements *announcements, struct claims_result *result,
                  struct verdict *verdict);

#endif
