/*
 * One port-0 request under a policy, whoever makes the call: the shim in the program itself, or
 * `run` in the place of a program that the shim is not in.
 */
#ifndef PORTWITNESS_SHARED_POLICY_REQUEST_H
#define PORTWITNESS_SHARED_POLICY_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "shim/shared/policy_space.h"

enum policy_call { POLICY_BIND, POLICY_LISTEN, POLICY_CONNECT, POLICY_SEND };

/* What differs by who makes the call. */
struct policy_ways {
    int (*bind)(int fd, const struct sockaddr *address, socklen_t length);
    uint16_t (*local_port)(int fd);
    uint64_t (*place)(void); /* for `seeded`; NULL: the process has no place */
};

struct policy_request {
    /* Set by the caller. */
    enum policy_call kind;
    int fd;
    const struct sockaddr *address; /* as the guest gave it: bind's, or the destination; or NULL */
    socklen_t length;
    struct sockaddr_storage copy; /* of the address: the guest's memory is read once */
    const struct policy_ways *ways;
    struct policy_space *space;
    uint64_t options; /* of the socket: PW_FLAG_REUSEADDR and the like */
    uint64_t reach;   /* soonest: what the request's address can meet */
    uint32_t thread;  /* soonest: that asks */
    uint16_t avoid;   /* the destination's own port */
    uint16_t family;  /* of the socket */
    bool is_udp;

    /* Set by policy_choose and policy_try; 0 at first. */
    uint64_t sequence;  /* seeded: what the ports of this request are made from */
    uint64_t flags;     /* for the record: PW_FLAG_POLICY and those behind it */
    unsigned tried;     /* numbers that the kernel refused */
    unsigned turn;      /* in the present source of ports */
    unsigned source;    /* where ports come from, the next one when it has none left */
    unsigned wanted;    /* soonest: a bit for each waiting bind whose port was tried */
    unsigned waiter;    /* the one whose port is the present choice */
    bool is_wanted;     /* there is one */
    bool shares;        /* soonest: another UDP socket has the present choice */
    uint16_t low, high; /* the present choice */
    bool narrowed;      /* IP_LOCAL_PORT_RANGE is set */
    bool cannot_narrow; /* the kernel does not have it */
    bool is_early, is_recycled;
};

#endif
