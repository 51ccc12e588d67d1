/* A port-0 request answered with a port that the policy chose. */
#ifndef PORTWITNESS_SHARED_POLICY_ATTEMPT_H
#define PORTWITNESS_SHARED_POLICY_ATTEMPT_H

#include "shim/shared/policy_request.h"

/* Makes the call, with the port narrowed down to one of the policy's choice and, where the kernel
 * refuses that, the next. true where it is decided, with its *result and errno. false where the
 * policy has no port for it: the call is to be made as the program asked for it. The socket's
 * options are what they were in both cases, and `flags` say what came of it. */
bool policy_try(struct policy_request *request, long (*call)(const void *), const void *arguments,
                long *result);

/* Puts the socket's range and these reuse options back, for a call that was left from within. */
void policy_restore(int fd, uint64_t options);

#endif
