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

/* Frees the rows; the table is empty then. */
void socket_table_free(struct socket_table *table);

#endif
