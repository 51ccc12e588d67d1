/* Who called what called us: the return addresses behind a call, where the user asked for them. */
#ifndef PORTWITNESS_PROCESS_STACKS_H
#define PORTWITNESS_PROCESS_STACKS_H

#include <stdint.h>

/* Makes ready, if the trace asks for stacks: the first backtrace of a process loads libgcc_s, which
 * must not happen in a signal handler. From the constructor, when the trace is attached. */
void stacks_prepare(void);

/* Writes the stack behind the record with that number, if stacks are asked for. */
void stacks_record(uint64_t record);

#endif
