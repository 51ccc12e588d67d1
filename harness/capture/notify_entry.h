/* The door's side of `run` (shim/shared/notify_door.h): listeners that programs send. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_ENTRY_H
#define PORTWITNESS_CAPTURE_NOTIFY_ENTRY_H

#include <stdint.h>

#include "shim/shared/notify_format.h"

/* Opens it and puts its number into the mailbox. The socket, -1 with errno. */
int notify_entry_open(struct pw_notify_area *area);

/* The listener that this process has sent, to be closed; -1: none. Others that have come are kept
 * until they are asked for. For one thread. */
int notify_entry_take(int entry, uint32_t pid);

#endif
