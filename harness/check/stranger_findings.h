/* Findings among processes of the machine that are none of the command's. */
#ifndef PORTWITNESS_CHECK_STRANGER_FINDINGS_H
#define PORTWITNESS_CHECK_STRANGER_FINDINGS_H

#include "harness/check/machine.h"

/* Is the process with that tagged serial a stranger? */
bool stranger_findings_has(const struct machine *machine, uint64_t serial);

/* Says in the finding's table who the stranger is that has the socket of `other`; of anybody else
 * nothing is said. */
void stranger_findings_fill_in(const struct machine *machine, struct finding *finding);

/* Takes out what strangers have among themselves, from the finding with that index on. */
void stranger_findings_leave_out(const struct machine *machine, struct findings *findings,
                                 size_t from);

#endif
