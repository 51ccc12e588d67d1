/* The network namespace in which a storm takes place, and its local port range. */
#ifndef PORTWITNESS_SYSTEM_NETWORK_H
#define PORTWITNESS_SYSTEM_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct port_range {
    uint16_t low; /* both ends belong to it */
    uint16_t high;
    bool reserved[65536]; /* ip_local_reserved_ports */
};

/* Moves this process into a network namespace of its own, with loopback up and, where `low` is not
 * 0, that local port range. Without root it takes a user namespace too. To be called while the
 * process has one thread. NULL, or what could not be done, with errno set. */
const char *network_make_private(unsigned low, unsigned high);

/* Reads the local port range and the reserved ports of our namespace. false with errno set. */
bool port_range_read(struct port_range *range);

/* Marks the ports of a list such as "8080,9000-9010" as the kernel writes it. */
void port_range_reserve(struct port_range *range, const char *list);

/* How many ports a TCP socket bound to port 0 may get: all of the range that is not reserved. */
size_t port_range_size(const struct port_range *range);

/* How many of them the kernel draws from first: for TCP those whose parity differs from the low
 * end's, for TCP with SO_REUSEADDR only those in the lower half of the range, for UDP all. */
size_t port_range_first_choice(const struct port_range *range, unsigned protocol,
                               bool reuse_address);

#endif
