/* Plays operations on real sockets, in the network namespace that we are in. */
#ifndef PORTWITNESS_EXPLAIN_KERNEL_PLAYER_H
#define PORTWITNESS_EXPLAIN_KERNEL_PLAYER_H

#include <stdbool.h>

#include "harness/model/operation.h"

struct kernel_player {
    int fd[OPERATION_SOCKETS_MAX]; /* -1: none */
    uint32_t uid[OPERATION_SOCKETS_MAX];
    const struct operation_names *names; /* for those of devices; NULL: dummy0, dummy1, ... */
    int range;                           /* the system's settings, open for writing; -1: not yet */
    int reserved;
};

/* Has this network namespace, which must be our own, keep every TIME_WAIT for its minute: by
 * default a loopback connect that chooses its port may take over one that is a second old
 * (tcp_tw_reuse of 2, Documentation/networking/ip-sysctl.rst), so that the answer would depend on
 * how busy the machine is. false with errno set; a kernel without the setting has nothing to take
 * over. */
bool kernel_player_keep_time_wait(void);

/* Begins with no sockets. */
void kernel_player_begin(struct kernel_player *player, const struct operation_names *names);

/* Makes the call, as the user of the socket (root where that cannot be changed to another). Its
 * errno, 0 for success; *port is what the socket's address shows afterwards, 0 where it shows none.
 */
int kernel_player_apply(struct kernel_player *player, const struct operation *operation,
                        uint16_t *port);

/* Closes all sockets. */
void kernel_player_end(struct kernel_player *player);

#endif
