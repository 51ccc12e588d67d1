/* The network namespace of new sockets: its cookie, and one record of it a trace. */
#ifndef PORTWITNESS_SOCKET_NAMESPACES_H
#define PORTWITNESS_SOCKET_NAMESPACES_H

#include <stdbool.h>
#include <stdint.h>

/* The cookie of the namespace that a socket just made by this thread belongs to (SO_NETNS_COOKIE,
 * socket(7)), 0 where the kernel does not say. Cached while no call can have changed it. */
uint64_t namespace_of_new_socket(int fd);

/* Asks the socket itself: for one that came from elsewhere. */
uint64_t namespace_of_socket(int fd);

/* setns or unshare was called: from now on each socket is asked. */
void namespace_changed(void);

/* Writes the record of a namespace that the trace does not know yet. `is_current`: it is the
 * calling thread's own, so its port range can be read. */
void namespace_note(uint64_t cookie, bool is_current);

#endif
