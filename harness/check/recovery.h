/* Did a program get over a refusal? */
#ifndef PORTWITNESS_CHECK_RECOVERY_H
#define PORTWITNESS_CHECK_RECOVERY_H

#include "harness/check/history.h"

/* A thread gets over a refusal if it succeeds within this time. */
#define RECOVERY_NS UINT64_C(5000000000)

/* Are these two places in a program one function, or next to each other? Which call a program tries
 * next is written there. A place that is not known (0) may be any. */
bool recovery_is_near(uint64_t one_site, uint64_t other_site);

/* A bind, or listen, that was refused waits for its thread to bind something else. By the index in
 * history->requests, or in history->failed_listens. */
void recovery_wait(struct history *history, uint32_t request);
void recovery_wait_for_listen(struct history *history, uint32_t listen);

/* A bind that went well ends the waiting of its thread. */
void recovery_end(struct history *history, const struct trace_record *record);

#endif
