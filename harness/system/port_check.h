/* Whether a port can be bound here and now, and who has it if not. */
#ifndef PORTWITNESS_SYSTEM_PORT_CHECK_H
#define PORTWITNESS_SYSTEM_PORT_CHECK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "harness/base/listen_address.h"

#define PORT_HOLDERS_MAX 16

struct port_holder {
    uint32_t pid;     /* 0 if no process was seen that has it: TIME_WAIT, or not ours to look at */
    char program[17]; /* "" if not known */
    uint32_t uid;
    unsigned state; /* as the kernel counts: 10 listens, 1 is established */
    struct listen_address address;
};

enum port_freedom { PORT_FREE, PORT_TAKEN, PORT_UNKNOWN };

struct port_check {
    enum port_freedom freedom;
    int error;     /* of the bind that was tried, 0 if it went well */
    uint16_t port; /* that the answer is about: the first one that is not free, if any */
    struct port_holder holders[PORT_HOLDERS_MAX];
    unsigned holder_count;
};

/* Binds each port from `first` to `last` as Docker does (SO_REUSEADDR for TCP, IPv6 alone on an
 * IPv6 address), and closes it at once, without listening. The address "" stands for 0.0.0.0 and ::
 * together. With `any` one free port is enough. `protocol` is "TCP", "UDP" or "SCTP". */
void port_check(const char *address, const char *protocol, int32_t first, int32_t last, bool any,
                struct port_check *check);

/* "listening", "established", "time-wait", "bound" and so on. */
const char *port_state_name(unsigned state, const char *protocol);

#endif
