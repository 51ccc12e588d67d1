/* Ports kept for somebody else: bound, not listening. */
#ifndef PORTWITNESS_RESERVE_HOLD_H
#define PORTWITNESS_RESERVE_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HELD_PORTS_MAX = 1000 };

struct held_ports {
    int sockets[HELD_PORTS_MAX];
    uint16_t ports[HELD_PORTS_MAX];
    size_t count;
};

/* Binds so many TCP sockets with SO_REUSEADDR to port 0 on [::], for IPv4 too, or on 0.0.0.0 where
 * there is no IPv6. false with errno set unless all of them can be bound; none is held then. */
bool hold_ports(struct held_ports *held, size_t count);

/* Lets all of them go. */
void hold_ports_end(struct held_ports *held);

#endif
