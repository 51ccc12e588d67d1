/* What others see as our command line (/proc/PID/cmdline, ps, pkill -f). */
#ifndef PORTWITNESS_SYSTEM_PROCESS_TITLE_H
#define PORTWITNESS_SYSTEM_PROCESS_TITLE_H

/* Sets it, cut to the room that the arguments have. The arguments are gone then. Allocates nothing.
 */
void process_title_set(const char *title);

#endif
