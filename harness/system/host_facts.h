/* What of this host bears on a port mapping; gathered elsewhere, compared here. */
#ifndef PORTWITNESS_SYSTEM_HOST_FACTS_H
#define PORTWITNESS_SYSTEM_HOST_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/listen_address.h"

struct host_facts {
    int32_t range_low; /* ip_local_port_range; 0 if it is not known */
    int32_t range_high;
    int32_t first_unprivileged;       /* ip_unprivileged_port_start */
    uint8_t reserved[65536 / 8];      /* ip_local_reserved_ports, a bit a port */
    struct listen_address *addresses; /* of this host's interfaces; none if they are not known */
    size_t address_count;
};

/* Is the port set aside by ip_local_reserved_ports? */
bool host_facts_reserved(const struct host_facts *facts, int32_t port);

/* May the kernel give the port to an outgoing connection or a port-0 request? */
bool host_facts_in_range(const struct host_facts *facts, int32_t port);

/* Is the address one that can be bound here: a wildcard, loopback, or of an interface? True, too,
 * where the addresses are not known. */
bool host_facts_local(const struct host_facts *facts, const struct listen_address *address);

#endif
