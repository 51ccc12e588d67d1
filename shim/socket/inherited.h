/* The sockets that this program was started with: nobody else records them. */
#ifndef PORTWITNESS_SOCKET_INHERITED_H
#define PORTWITNESS_SOCKET_INHERITED_H

#include "shim/shared/proc_mount.h"

/* Records them, once, when the shim starts and has no descriptor of its own open. `proc` is what
 * the kernel said of /proc/self/fd just now. */
void inherited_adopt(const struct proc_mount *proc);

#endif
