/* Questions to the facts of a host. */
#include "harness/system/host_facts.h"

bool host_facts_reserved(const struct host_facts *facts, int32_t port) {
    return port >= 0 && port <= 65535 && (facts->reserved[port / 8] >> port % 8 & 1) != 0;
}

bool host_facts_in_range(const struct host_facts *facts, int32_t port) {
    return facts->range_low > 0 && port >= facts->range_low && port <= facts->range_high &&
           !host_facts_reserved(facts, port);
}

bool host_facts_local(const struct host_facts *facts, const struct listen_address *address) {
    if (facts->address_count == 0 || listen_address_is_any_v4(address) ||
        listen_address_is_any_v6(address))
        return true;
    /* All of 127.0.0.0/8 is this host. */
    if (listen_address_is_v4(address) && address->bytes[12] == 127)
        return true;
    for (size_t i = 0; i < facts->address_count; i++)
        if (listen_address_equal(&facts->addresses[i], address))
            return true;
    return false;
}
