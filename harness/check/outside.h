/* What `run` found out about holders outside of the run. */
#ifndef PORTWITNESS_CHECK_OUTSIDE_H
#define PORTWITNESS_CHECK_OUTSIDE_H

#include "harness/check/history.h"

/* Takes a record of kind PW_KIND_HOLDER. */
void outside_note(struct history *history, const struct trace_record *record);

/* After the last record: completes the answers of the kernel's table with it. */
void outside_complete(struct history *history);

/* Frees what was noted. */
void outside_free(struct history *history);

#endif
