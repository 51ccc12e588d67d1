/* The policy of the run, for the calls that `run` makes in the place of a program. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_POLICY_H
#define PORTWITNESS_CAPTURE_NOTIFY_POLICY_H

#include <stdbool.h>
#include <sys/socket.h>

#include "harness/capture/outside_event.h"
#include "shim/shared/policy_request.h"

/* The call as it was made. */
struct notify_wish {
    int duplicate;
    const struct sockaddr *address; /* bind's, or the destination; not for listen */
    socklen_t length;
    const struct outside_event *event; /* what is known of it before the call */
};

/* Whether the policy is to answer: a port-0 request on a TCP or UDP socket without a port range of
 * its own. Fills in the request for policy_try then. */
bool notify_policy_applies(const struct notify_wish *wish, struct policy_request *request);

/* What the policy has to know of a call that was seen, answered by it or not. */
void notify_policy_note(const struct outside_event *event);

#endif
