/* Which binds by number prove that a number given for port 0 was relied on. */
#ifndef PORTWITNESS_CHECK_PROOFS_H
#define PORTWITNESS_CHECK_PROOFS_H

#include "harness/check/history.h"

/* How the binder can have come by the number, from the weakest on. */
enum tier {
    TIER_NONE,
    TIER_DISTANT, /* the command, or who recorded by hand, is above both: possible, and only of a
                     bind that failed */
    TIER_SIBLING, /* a common ancestor is near; by a pipe or a file: possible */
    TIER_HANDED,  /* it stands in the binder's arguments or environment */
    TIER_NEAR,    /* ... and the two have an ancestor in common */
    TIER_RELATED, /* an ancestor or a descendant */
    TIER_OWN      /* the same process, whatever it executed since */
};

/* Matches every bind by number with the assignment that it proves, the latest that fits, and
 * failed ones with those that they repeat; fills proved_by, proves, tier, both certainties, repeats
 * and times of the history's requests. */
void proofs_find(struct history *history);

/* Is this a successful bind or listen on port 0 whose number the program read? */
bool proofs_is_assignment(const struct history *history, uint32_t binding);

/* A bind by number that went well, or failed with EADDRINUSE. */
bool proofs_is_attempt(const struct history *history, uint32_t binding);

#endif
