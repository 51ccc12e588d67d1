/* Sockets as publishers and probes make them. */
#ifndef PORTWITNESS_STORM_PUBLISH_SOCKET_H
#define PORTWITNESS_STORM_PUBLISH_SOCKET_H

#include "harness/base/endpoint.h"

struct socket_options {
    bool reuse_address;
    bool reuse_port;
    bool listening; /* TCP and SCTP: listen as well */
};

/* Makes a socket of the endpoint's protocol and binds it to the endpoint; with port 0 the number
 * that the kernel assigned is stored there. The descriptor, or -1 with errno set and nothing left
 * open. */
int socket_publish(struct endpoint *endpoint, const struct socket_options *options);

/* Does the kernel have SCTP? */
bool socket_sctp_offered(void);

#endif
