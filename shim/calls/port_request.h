/*
 * One call that may give its socket a port: bind, listen, connect, a send. What they have in common
 * is here: the record, the policy that may answer, and what is known of the socket afterwards. A
 * call's own file keeps its arguments and what only it does.
 *
 *     if (!port_request_enter(&request, &given))   no IP socket, or nothing is recorded
 *         return the bare call
 *     if (!port_request_begin(&request, ...))      neither a record nor a policy
 *         return the bare call
 *     result = port_request_perform(&request);
 *     ... fields of request.record; port_request_got(), where the socket has a port now
 *     return port_request_finish(&request, result);
 *
 * The record may be missing (the trace is full), while the policy works on. Its fields can be
 * written all the same, and are then dropped.
 */
#ifndef PORTWITNESS_CALLS_PORT_REQUEST_H
#define PORTWITNESS_CALLS_PORT_REQUEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "shim/gate.h"
#include "shim/policy/policy.h"
#include "shim/socket/sockets.h"

enum { PORT_REQUEST_UNITS = 3 };

/* The call as it was made. */
struct port_call {
    int number; /* enum call_number */
    int fd;
    const void *site;
    enum policy_call kind;
    const struct sockaddr *address; /* as the guest gave it, or NULL */
    socklen_t length;
    long (*call)(const void *arguments); /* the real one */
    const void *arguments;
};

struct port_request {
    /* Set by port_request_enter. */
    const struct port_call *given;
    enum gate gate;
    uint64_t begin_ns;
    struct socket_facts facts;

    /* May be set by the caller between the two: the socket has no port yet. */
    bool unbound;

    /* Set by port_request_got: the call gave the socket a port. */
    bool got;

    /* true while SO_REUSEADDR is on for the policy `keep`. */
    _Atomic bool shared;

    /* ... which closed what was kept at the port: the call bound it by number. */
    bool handed;

    /* Set by port_request_begin and port_request_perform. */
    bool is_recorded;
    bool by_policy;
    struct record record;
    struct policy_request policy;
    union pw_unit dropped[PORT_REQUEST_UNITS]; /* the record's, where the trace has none */
    int error;                                 /* errno of the call */
};

/* Passes the gate and looks the socket up. false: nothing is recorded here, or it is not an IP
 * socket. `given` must live as long as the request. */
bool port_request_enter(struct port_request *request, const struct port_call *given);

/* Begins the record of `units` units, and of the frames of the program's language, and asks whether
 * the policy is to answer. false where neither is so. */
bool port_request_begin(struct port_request *request, enum pw_kind kind, unsigned units);

/* Makes the call, by the policy where it answers. The thread may leave it (cancellable.h). `error`
 * is errno of the call, and stands in the record where the result is below 0. */
long port_request_perform(struct port_request *request);

/* The socket has this port now, `by_number`: as the program asked for. In a sandbox, where nobody
 * may ask for it, the port is 0 and the socket is marked as one that has some. */
void port_request_got(struct port_request *request, uint16_t port, bool by_number);

/* Keeps the facts and commits the record; the stack, where it is asked for. errno is the call's.
 * Returns the result. */
long port_request_finish(struct port_request *request, long result);

/* After a refusal with EADDRINUSE: who has the port, and in which test. */
void port_request_refused(const struct port_request *request, const struct ip_endpoint *wanted);

#endif
