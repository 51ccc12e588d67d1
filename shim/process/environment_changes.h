/* Whether the environment is still as it was, for those who want to read it only when it is not. */
#ifndef PORTWITNESS_PROCESS_ENVIRONMENT_CHANGES_H
#define PORTWITNESS_PROCESS_ENVIRONMENT_CHANGES_H

#include <stdint.h>

/* Before and after each call of libc that changes it. */
void environment_changes_begin(void);
void environment_changes_end(void);

/* Equal for two equal states of the environment, as far as libc's functions and the array of
 * pointers say: what a program writes into libc's array while it has several threads may be seen
 * some milliseconds late. 0: not known. Async-signal-safe. */
uint64_t environment_state(void);

#endif
