/* What `portwitness stress` says at the end, and while it runs. */
#ifndef PORTWITNESS_STRESS_STRESS_REPORT_H
#define PORTWITNESS_STRESS_STRESS_REPORT_H

#include "harness/stress/session.h"

/* A bar on stderr, if that is a terminal. `row` is NULL while the first failure is sought again. */
void stress_report_progress(const struct stress_row *row, unsigned done, unsigned rounds);

/* The table and what follows from it, to stdout. */
void stress_report_table(const struct stress_session *session);

/* The same as one JSON object. */
void stress_report_json(const struct stress_session *session);

#endif
