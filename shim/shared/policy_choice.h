/* Which port a request is to try next. */
#ifndef PORTWITNESS_SHARED_POLICY_CHOICE_H
#define PORTWITNESS_SHARED_POLICY_CHOICE_H

#include "shim/shared/policy_request.h"

/* Sets low and high of the request to the next port, or range of ports, to try. false: the policy
 * has no more, and the kernel is to choose as it likes. */
bool policy_choose(struct policy_request *request);

/* Sets them to one side of the destination's own port, which must lie within low..high: the larger
 * side, or the other one. false where that has no port. */
bool policy_choose_beside(struct policy_request *request, uint16_t low, uint16_t high, bool larger);

#endif
