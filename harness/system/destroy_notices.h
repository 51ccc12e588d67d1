/* The kernel's word that a socket is gone: sock_diag's destroy notices for TCP and UDP. They report
 * the end of a socket in our own network namespace, also of one that no process closed. */
#ifndef PORTWITNESS_SYSTEM_DESTROY_NOTICES_H
#define PORTWITNESS_SYSTEM_DESTROY_NOTICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct destroy_notice {
    uint64_t cookie;
    uint64_t seen_ns; /* CLOCK_MONOTONIC, when it was read */
    uint8_t family;
    uint8_t protocol;
    uint8_t state;     /* TCP state at the end */
    bool time_wait;    /* TIME_WAIT stands in its place; see destroy_notices_ask */
    bool has_local;    /* its local address is known */
    uint8_t local[16]; /* as in struct pw_socket */
    uint8_t remote[16];
    uint16_t local_port;
    uint16_t remote_port; /* 0: not connected */
    uint32_t device;
};

struct destroy_notices {
    int file;           /* readable when notices wait; -1: there are none */
    int query;          /* for the questions about TIME_WAIT; -1: none */
    uint64_t netns;     /* SO_NETNS_COOKIE of our own namespace, 0: not known */
    uint64_t overflows; /* times that the kernel had to drop notices */
};

/* Subscribes. Where the kernel does not offer it, file is -1 and everything else does nothing.
 * Without `subscribe`, only what is needed to ask about others' sockets. */
void destroy_notices_open(struct destroy_notices *notices, bool subscribe);

/* Reads notices that wait, without waiting. How many of `room` were filled; call until 0. */
size_t destroy_notices_read(struct destroy_notices *notices, struct destroy_notice *into,
                            size_t room);

/* Asks the kernel for each notice of a connected TCP socket whether a TIME_WAIT socket stands at
 * its addresses now, and sets time_wait. */
void destroy_notices_ask(struct destroy_notices *notices, struct destroy_notice *list,
                         size_t count);

/* Ends the subscription. */
void destroy_notices_close(struct destroy_notices *notices);

#endif
