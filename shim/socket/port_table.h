/* The kernel's table of sockets, as sock_diag(7) shows it: what may stand in a port's way. */
#ifndef PORTWITNESS_SOCKET_PORT_TABLE_H
#define PORTWITNESS_SOCKET_PORT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/socket/sockets.h"

enum { PORT_ROWS_MAX = 4, PORT_TABLE_BYTES = 32 * 1024 };

struct port_row {
    struct ip_endpoint local;
    uint64_t cookie;
    uint32_t inode;
    uint32_t uid;
    uint32_t state; /* enum of the kernel's tcp_states.h; above 10: bound and not connected */
    bool only_v6;
};

/* Those that say most, where there are more. */
struct port_rows {
    struct port_row list[PORT_ROWS_MAX];
    unsigned count;
};

/* Asks which sockets other than that of the facts may stand in the way of a bind of it to `wanted`.
 * `reply` is memory of PORT_TABLE_BYTES for the answer, aligned to 8. false where the kernel does
 * not say, or the thread is in another network namespace than the socket. Sockets that are bound
 * and neither listen nor are connected are seen since Linux 6.8. */
bool port_table_ask(const struct socket_facts *facts, const struct ip_endpoint *wanted, char *reply,
                    struct port_rows *rows);

#endif
