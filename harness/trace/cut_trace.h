/* A trace that is cut while we have it mapped: whoever may write to it can do that. */
#ifndef PORTWITNESS_TRACE_CUT_TRACE_H
#define PORTWITNESS_TRACE_CUT_TRACE_H

#include <stdbool.h>
#include <sys/types.h>

/* From now on a page of the attached trace that is there no more is empty memory to this process,
 * where an access would have ended it. SIGBUS is let through in the calling thread and in those
 * that it makes. */
void cut_trace_survive(void);

/* Handles the signal again as it was before; in a child, before it executes a program. */
void cut_trace_forget(void);

/* Whether that has happened. */
bool cut_trace_seen(void);

/* Whether somebody sent us SIGBUS, which no fault of ours raised, since the last call; *from is
 * then who. */
bool cut_trace_take_signal(pid_t *from);

#endif
