/* What the kernel's table of sockets says when a call was refused for want of the port. */
#ifndef PORTWITNESS_SOCKET_HOLDER_QUERY_H
#define PORTWITNESS_SOCKET_HOLDER_QUERY_H

#include "shim/socket/sockets.h"

/* Asks who has the port of `wanted` in this protocol, and writes a record for each socket that may
 * stand in its way, for four at most, or one that says that there was none. `record` is the number
 * of the refused call's record. So many times a process that it can never be felt; not at all in a
 * child of vfork. */
void holder_query_record(int fd, const struct socket_facts *facts, const struct ip_endpoint *wanted,
                         uint64_t record);

#endif
