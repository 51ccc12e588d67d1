/* Whether this thread may be in a handler of a signal, where no interpreter may be asked. */
#ifndef PORTWITNESS_FRAMES_IN_HANDLER_H
#define PORTWITNESS_FRAMES_IN_HANDLER_H

#include <stdbool.h>

/* True as well where a thread blocks signals for reasons of its own, and where the kernel may not
 * be asked. */
bool may_be_in_handler(void);

#endif
