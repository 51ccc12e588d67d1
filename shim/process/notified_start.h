/* Programs that the shim cannot enter: before they are executed they are put under a filter, so
 * that `run` is notified of their calls (shim/shared/notify_filter.h). */
#ifndef PORTWITNESS_PROCESS_NOTIFIED_START_H
#define PORTWITNESS_PROCESS_NOTIFIED_START_H

/* In the process that is about to execute a program; `obstacle` is enum pw_blind, 0: the shim can
 * enter it. Does nothing where the trace does not ask for it. A vfork child may call it: its parent
 * stays without a filter. */
void notified_start(int obstacle);

#endif
