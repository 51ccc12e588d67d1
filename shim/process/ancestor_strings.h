/* The strings that the processes above this one were started with. */
#ifndef PORTWITNESS_PROCESS_ANCESTOR_STRINGS_H
#define PORTWITNESS_PROCESS_ANCESTOR_STRINGS_H

#include <stdint.h>

/* In those of how many ancestors in a row, from the parent on, a port's number stands: 7 at most.
 * Where one may not be read the row ends. Reads /proc; not for a process in a sandbox. */
unsigned ancestor_strings_hold(uint16_t port);

#endif
