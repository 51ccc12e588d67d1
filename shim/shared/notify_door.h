/* The socket of `run` to which a program sends its filter's listener, where `run` may not take it
 * (pidfd_getfd(2) is refused by the profiles of containers). Its name is in the abstract space of
 * unix(7): nothing lies in the file system, and programs inherit nothing. */
#ifndef PORTWITNESS_SHARED_NOTIFY_DOOR_H
#define PORTWITNESS_SHARED_NOTIFY_DOOR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Makes the name with that number; its length. */
socklen_t notify_door_name(struct sockaddr_un *name, uint64_t number);

/* Connects to it, before the filter is there: after that the connect itself would be notified. The
 * descriptor (close-on-exec), or -errno: ECONNREFUSED in another network namespace. The rest of the
 * calls here are raw, too, and async-signal-safe. */
long notify_door_connect(uint64_t number);

/* Sends a descriptor. 0, or -errno. */
long notify_door_send(long door, int descriptor);

#endif
