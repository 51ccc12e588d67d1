/* The fourth check: do the bindings in the trace say the same? */
#ifndef PORTWITNESS_STORM_CHECKS_TRACE_CHECK_H
#define PORTWITNESS_STORM_CHECKS_TRACE_CHECK_H

#include "harness/storm/checks/announced.h"
#include "harness/storm/checks/check_result.h"

struct trace_check;

/* Opens the trace at `path`, from its first record on. NULL, with one line on stderr, where it
 * cannot be read. */
struct trace_check *trace_check_open(const char *path);

/* Reads what was written so far without comparing it. */
void trace_check_skip(struct trace_check *check);

/* The serial of the process with this pid, which has recorded its start; 0 if it has not. */
uint64_t trace_check_serial(const struct trace_check *check, pid_t pid);

/* Reads what was written since the last call, which must hold the whole life of every socket that
 * is held now, and compares: each announced endpoint is one binding of its claimant that nothing
 * has ended, with a record of the claim, and no claimant has another one. */
void trace_check_compare(struct trace_check *check, const struct announcements *announcements,
                         struct verdict *verdict);

/* Ends the reading; NULL does nothing. */
void trace_check_close(struct trace_check *check);

#endif
