/*
 * The policy of the run at work: port-0 requests answered with a port of its choice, and what it
 * has to know of other calls. Nothing here is called unless policy_on.
 */
#ifndef PORTWITNESS_POLICY_POLICY_H
#define PORTWITNESS_POLICY_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "shim/shared/policy_request.h"
#include "shim/shared/policy_space.h"
#include "shim/shared/policy_waiters.h"
#include "shim/socket/descriptors.h"
#include "shim/socket/sockets.h"

/* The run has a policy other than the kernel's own choice; set once, when the trace is attached. */
extern bool policy_on;

/* Sets policy_on. */
void policy_begin(void);

/* Whether the policy is to answer: a request for port 0 on a TCP or UDP socket without a port range
 * of the program's own. The guest's address is read only where the kernel could read it. The
 * request has kind, descriptor, address and length; the rest is set here. */
bool policy_applies(struct policy_request *request, const struct socket_facts *facts);

/* Makes the call, with the port narrowed down to one of the policy's choice and, where the kernel
 * refuses that, the next. It fails only as the kernel's own choice would. The socket's options are
 * afterwards what they were. errno is the call's. */
long policy_answer(struct policy_request *request, long (*call)(const void *),
                   const void *arguments);

/* The space of a TCP or UDP socket, NULL for others and where there is none. */
struct policy_space *policy_space_of(const struct socket_facts *facts, bool make);

/* What the socket can meet at that endpoint (policy_waiters.h). */
uint64_t policy_reach_of(const struct socket_facts *facts, const struct ip_endpoint *endpoint);

/* Puts the socket's range back, for a call that was left from within. */
void policy_abandon(int fd);

/* A socket has got this port. `by_number`: as the program asked for. */
void policy_note_bound(const struct socket_facts *facts, uint16_t port, bool by_number);

/* The program read the number of its port. Under `soonest` nothing follows of
 * a source port. */
void policy_note_read(const struct socket_facts *facts, uint16_t port);

/* A bind by number was refused with EADDRINUSE. */
void policy_note_refused(const struct socket_facts *facts, uint16_t port);

/* Before a bind by number: under `soonest` it may wait until somebody was given the port (pause.c).
 * Whether it did; policy_wait_end has then to follow, once the bind was answered. */
bool policy_before_bind(const struct socket_facts *facts, const struct ip_endpoint *wanted,
                        struct policy_wait *wait);

/* Around a close or whatever else releases the port; the second after the kernel has done it. The
 * first may wait a little under `soonest`. */
void policy_before_release(const struct socket_facts *facts);
void policy_note_released(const struct socket_facts *facts, uint16_t port);

/* The same for all ports of the process, before it ends or executes a program. */
void policy_before_end(void);

#endif
