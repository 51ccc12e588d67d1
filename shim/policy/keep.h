/* The policy `keep` in a program that the shim is in. Nothing here is called unless keep_on. */
#ifndef PORTWITNESS_POLICY_KEEP_H
#define PORTWITNESS_POLICY_KEEP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shim/shared/policy_request.h"
#include "shim/socket/sockets.h"

/* The run's policy is `keep`; set once, when the trace is attached. */
extern bool keep_on;

/* The program has read the number of its port: keeps it, where it was given for port 0 and nobody
 * listens on it yet. *shared is true while SO_REUSEADDR is on by us. */
void keep_note_read(int fd, struct socket_facts *facts, _Atomic bool *shared);

/* A bind by number. What keep_bind (keep_socket.h) says; *shared as above. */
long keep_bind_by_number(int fd, const struct socket_facts *facts, const struct ip_endpoint *wanted,
                         long (*call)(const void *), const void *arguments, bool *handed,
                         _Atomic bool *shared);

/* A listen of a TCP socket. Its port is kept before, where it was given for port 0 or is given by
 * the listen; changes `facts`. */
long keep_around_listen(int fd, struct socket_facts *facts, bool unbound,
                        long (*call)(const void *), const void *arguments, _Atomic bool *shared);

/* After a port-0 request that failed with that error: whether it is worth another try, as ports
 * were given up for it. */
bool keep_gave_room(enum policy_call kind, int fd, const struct socket_facts *facts, int error);

#endif
