/* The sockets that the keeper holds, one for each protocol and port at most. */
#ifndef PORTWITNESS_KEEP_KEPT_SOCKETS_H
#define PORTWITNESS_KEEP_KEPT_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/shared/keep_ask.h"

/* Begins with none. A port is kept for `keep_ns` nanoseconds; `low` to `high` are the ports that
 * are given for port 0, and no others are kept. Of these a quarter at most for each protocol, and
 * in all as many as the limit of descriptors allows. `area` is where guests look. */
void kept_begin(struct pw_keep_area *area, uint64_t keep_ns, uint16_t low, uint16_t high);

/* Keeps an address and port beside the socket that has it; where there is no room any more, in the
 * place of the oldest. false where the kernel refuses it, or another address is kept at the port.
 */
bool kept_take(const struct keep_question *wanted);

/* What is kept at the port, where it meets the address: true if it was closed. The asker counts
 * what that was for. */
bool kept_close(const struct keep_question *wanted);

/* Lets sockets with SO_REUSEADDR or SO_REUSEPORT share the port with the kept one, or no longer;
 * false where none is kept there. It ends after a second by itself. */
bool kept_share(const struct keep_question *wanted, bool on);

/* Gives up the oldest of the protocol, of the range that the socket has, until the kernel has a
 * port for a new one. false where there is nothing to give up. */
bool kept_make_room(const struct keep_question *wanted);

/* Closes those whose time is over. Returns in how many nanoseconds there is more to do, UINT64_MAX:
 * nothing. */
uint64_t kept_expire(void);

#endif
