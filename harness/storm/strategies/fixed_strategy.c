/* `fixed`: the number that the file names. A mapping without one gets the number that everybody
 * would copy out of the same example: 20000 and the container's port. */
#include "harness/storm/strategies/strategy.h"

enum { EXAMPLE_BASE = 20000, PORTS = 65536 };

void fixed_choose(struct publisher *publisher) {
    for (uint32_t i = 0; i < publisher->settings->mappings; i++) {
        struct publication *publication = &publisher->publications[i];
        if (!publication_wants_number(publication))
            continue;
        publisher_attempt(publisher, publication)->named = true;
        publisher_chose(publication,
                        (unsigned)(EXAMPLE_BASE + publication->mapping->container_port) % PORTS);
    }
}
