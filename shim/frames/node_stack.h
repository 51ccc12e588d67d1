/* V8's stack in one number, by which the module in JavaScript knows again what it has asked V8 for
 * before: to make sites of a stack takes as long as a bind, to walk it a tenth of that. */
#ifndef PORTWITNESS_FRAMES_NODE_STACK_H
#define PORTWITNESS_FRAMES_NODE_STACK_H

#include "shim/frames/node_api.h"

/* Whether this Node is one whose V8 can be asked so; once, before any key. */
bool node_stack_find(napi_env env);

/* The key of this thread's innermost `limit` frames of JavaScript: the same only for the same
 * functions at the same places of the same scripts. Negative if functions that await those may
 * belong to the stack, too; 0 if it is not known. */
double node_stack_key(napi_env env, int limit);

#endif
