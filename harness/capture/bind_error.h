/* With which errno a bind failed of which only that is known: that nothing came of it. */
#ifndef PORTWITNESS_CAPTURE_BIND_ERROR_H
#define PORTWITNESS_CAPTURE_BIND_ERROR_H

#include <stdint.h>

#include "harness/capture/outside_event.h"

/* Of our own network namespace; in others the kernel's default is taken for theirs. */
struct bind_rules {
    uint64_t netns;             /* cookie, 0: not known */
    unsigned unprivileged_from; /* net.ipv4.ip_unprivileged_port_start */
};

void bind_rules_read(struct bind_rules *rules);

/* Sets error of a bind from OUTSIDE_ERROR_NOT_KNOWN to EADDRINUSE, and inferred, if no other error
 * is left: net/ipv4/af_inet.c, __inet_bind (and inet6_bind) refuses, before it asks for the port,
 * an address that the host does not have (never the wildcard or loopback), a privileged port for
 * whoever may not have it, and a socket that has a port. The programs report that last one
 * themselves. What remains is a lack of memory, or another eBPF program's veto. */
void bind_error_infer(const struct bind_rules *rules, struct outside_event *event);

#endif
