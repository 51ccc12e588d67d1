/* Did it matter? */
#ifndef PORTWITNESS_CHECK_SEVERITY_H
#define PORTWITNESS_CHECK_SEVERITY_H

#include "harness/check/machine.h"

/* Sets how severe the finding is, by what became of the program and of the command as a whole; its
 * status is filled in already. */
void severity_set(const struct machine *machine, struct finding *finding);

#endif
