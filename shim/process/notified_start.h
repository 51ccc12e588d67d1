/* Programs that the shim cannot enter: before they are executed they are put under a filter, so
 * that `run` is notified of their calls (shim/shared/notify_filter.h). */
#ifndef PORTWITNESS_PROCESS_NOTIFIED_START_H
#define PORTWITNESS_PROCESS_NOTIFIED_START_H

#include "shim/shared/program_file.h"

/* In the process that is about to execute that program. Does nothing where the shim can enter it,
 * and where the trace does not ask for it. A vfork child may call it: its parent
 * stays without a filter. */
void notified_start(const struct program_facts *facts);

#endif
