/* Which port a request is to try next. */
#ifndef PORTWITNESS_POLICY_CHOICE_H
#define PORTWITNESS_POLICY_CHOICE_H

#include "shim/policy.h"

/* Sets low and high of the request to the next port, or range of ports, to try. false: the policy
 * has no more, and the kernel is to choose as it likes. */
bool policy_choose(struct policy_request *request);

#endif
