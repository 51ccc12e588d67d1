/* What the checks are asked about: the endpoints that publishers say they hold. */
#ifndef PORTWITNESS_STORM_CHECKS_ANNOUNCED_H
#define PORTWITNESS_STORM_CHECKS_ANNOUNCED_H

#include <sys/types.h>

#include "harness/base/endpoint.h"

struct announced {
    struct endpoint endpoint;
    uint64_t token;  /* what whoever reaches the endpoint must get */
    uint64_t serial; /* of the publisher in the trace */
    pid_t pid;       /* the publisher's */
};

/* One publisher that is alive, whether or not it has announced anything. */
struct claimant {
    uint64_t serial;
    pid_t pid;
};

/* What all checks are given. */
struct announcements {
    const struct announced *list;
    size_t count;
    const struct claimant *claimants;
    size_t claimant_count;
    bool udp_may_share; /* a reuse option is set: equal UDP ports are lawful */
    bool tcp_may_share; /* SO_REUSEPORT is set: equal TCP ports are lawful */
};

/* Is it lawful that several sockets of this protocol have one port? */
bool announcements_may_share(const struct announcements *announcements, unsigned protocol);

#endif
