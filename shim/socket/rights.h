/* Descriptors in a message's SCM_RIGHTS parts (unix(7), cmsg(3)). */
#ifndef PORTWITNESS_SOCKET_RIGHTS_H
#define PORTWITNESS_SOCKET_RIGHTS_H

#include <sys/socket.h>

#include "shim/socket/sockets.h"

/* Calls note(fd, context) for each descriptor in a message that the kernel has accepted or filled;
 * `message` itself is a copy. */
void rights_each(const struct msghdr *message,
                 void (*note)(int fd, const struct call_context *context),
                 const struct call_context *context);

#endif
