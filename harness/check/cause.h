/* Why somebody was refused a port, or nearly was: what the fix depends on. */
#ifndef PORTWITNESS_CHECK_CAUSE_H
#define PORTWITNESS_CHECK_CAUSE_H

#include <stdbool.h>

enum finding_cause {
    CAUSE_NONE, /* none is known */
    CAUSE_RELEASED_NUMBER,
    CAUSE_PROBED_BY_NUMBER,
    CAUSE_DUPLICATE_PICK,
    CAUSE_PICKED_ELSEWHERE,
    CAUSE_OTHER_NAMESPACE,
    CAUSE_HELD_PAIR,
    CAUSE_NEIGHBOUR,
    CAUSE_INHERITED_DESCRIPTOR,
    CAUSE_PASSED_DESCRIPTOR,
    CAUSE_OWN_DESCRIPTOR,
    CAUSE_SAME_PROCESS,
    CAUSE_ACCEPTED_CONNECTION,
    CAUSE_CONNECTION_SOURCE_PORT,
    CAUSE_TIME_WAIT,
    CAUSE_DUAL_STACK,
    CAUSE_OTHER_FAMILY,
    CAUSE_INHERITED_NUMBER,
    CAUSE_BOUND_NOT_LISTENING,
    CAUSE_SHORT_PROBE,
    CAUSE_LEFTOVER_PROCESS,
    CAUSE_OUTSIDE_PROCESS,
    CAUSE_FIXED_NUMBER,
    CAUSE_REUSEPORT,
    CAUSE_UDP_PORT_ZERO,
    CAUSE_UDP_REUSEADDR,
    CAUSE_TCP_REUSEADDR,
    CAUSE_SELF_CONNECT,
    CAUSE_RANGE_FULL,
    CAUSE_HOLDER_NOT_SEEN,
    CAUSES
};

/* "released-number"; NULL for CAUSE_NONE. */
const char *cause_name(enum finding_cause cause);

/* The cause with that name, CAUSES if there is none. */
enum finding_cause cause_of_name(const char *name);

/* Was the number picked where it said nothing of the endpoint that was bound? */
bool cause_is_other_pick(enum finding_cause cause);

/* One line that says what is meant; NULL for CAUSE_NONE. */
const char *cause_meaning(enum finding_cause cause);

#endif
