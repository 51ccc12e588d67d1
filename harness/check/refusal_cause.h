/* Why a bind by number, or a listen, was refused. */
#ifndef PORTWITNESS_CHECK_REFUSAL_CAUSE_H
#define PORTWITNESS_CHECK_REFUSAL_CAUSE_H

#include "harness/check/holders.h"

/* The cause of a refusal whose holder is filled into *finding already; `asker` is the binding that
 * failed, or whose listen did. Also fills in `assigned`: where the number, or the one beside it,
 * came from. */
void refusal_cause_set(const struct history *history, uint32_t asker,
                       const struct holder_found *holder, struct finding *finding);

/* Has the process the number, by port 0, where it does not stand in its own way? Fills in
 * `assigned` then. */
bool refusal_cause_is_pair(const struct history *history, uint32_t asker,
                           const struct holder_found *holder, struct finding *finding);

#endif
