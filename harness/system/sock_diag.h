/* The kernel's table of sockets, by sock_diag. */
#ifndef PORTWITNESS_SYSTEM_SOCK_DIAG_H
#define PORTWITNESS_SYSTEM_SOCK_DIAG_H

#include "harness/base/endpoint.h"

struct socket_row {
    struct endpoint endpoint;
    uint64_t inode;
    uint64_t cookie;
    bool listens;
};

/* States of TCP (bits, as in linux/inet_diag.h): bound and not connected, and all. */
#define SOCKET_STATES_BOUND (UINT32_C(1) << 10 | UINT32_C(1) << 13)
#define SOCKET_STATES_ALL UINT32_MAX

/* One socket that is looked for. */
struct socket_wanted {
    uint64_t inode;       /* 0: any */
    const uint8_t *local; /* its address, NULL: any */
    uint32_t states;      /* that it may be in */
    uint16_t protocol;    /* its own: IPPROTO_TCP, IPPROTO_UDP, IPPROTO_MPTCP */
    uint16_t port;        /* local, 0: any */
    uint16_t peer_port;
    uint8_t family; /* its own */
};

struct socket_found {
    struct socket_row row;
    uint8_t peer[16]; /* with peer_port, unless that is 0 */
    uint16_t peer_port;
    uint8_t state;   /* of TCP */
    uint32_t device; /* that it is bound to */
};

/* Zero-initialized it is empty. */
struct socket_table {
    struct socket_row *rows;
    size_t count;
    size_t room;
};

/* Reads the sockets that are bound and not connected: TCP (listening, and bound only), UDP, and
 * SCTP where the kernel has it. 0, or an errno where the kernel does not answer. */
int socket_table_read(struct socket_table *table);

/* Is there a socket with that cookie, in whichever state? 1, or 0 where there is none; -1 where the
 * kernel does not say. `protocol` is its own, IPPROTO_TCP or IPPROTO_UDP. */
int socket_table_has(uint8_t protocol, uint64_t cookie);

/* Looks for one socket: 1, or 0 where there is none; -1 where the kernel does not say. */
int socket_table_find(const struct socket_wanted *wanted, struct socket_found *found);

/* Frees the rows; the table is empty then. */
void socket_table_free(struct socket_table *table);

#endif
