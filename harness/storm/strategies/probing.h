/* Finding a free number by binding port 0 and releasing it. */
#ifndef PORTWITNESS_STORM_STRATEGIES_PROBING_H
#define PORTWITNESS_STORM_STRATEGIES_PROBING_H

#include "harness/storm/strategies/strategy.h"

/* Begins an attempt, and chooses for it the number that the kernel assigns to a socket at `where`
 * (its port is not looked at). The socket, still bound, to be closed; -1, and the publication given
 * up, where no number is left. */
int probe_number(struct publisher *publisher, struct publication *publication,
                 const struct endpoint *where, const struct socket_options *options);

/* The same for a publication whose attempt has begun: another number in place of the last. */
int probe_again(struct publication *publication, const struct endpoint *where,
                const struct socket_options *options);

#endif
