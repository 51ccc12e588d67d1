/* Who has a port, by the kernel's socket table. */
#ifndef PORTWITNESS_SYSTEM_PORT_HOLDERS_H
#define PORTWITNESS_SYSTEM_PORT_HOLDERS_H

#include "harness/system/port_check.h"

/* Sets the holders of *check: sockets whose bind stands against one to the address and port, an
 * IPv6 address meaning IPv6 alone. There may be fewer than there are: the kernel shows sockets that
 * are bound and no more only since Linux 6.8, and processes only to their user. */
void port_holders_find(const struct listen_address *address, const char *protocol, uint16_t port,
                       struct port_check *check);

#endif
