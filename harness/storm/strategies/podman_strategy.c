/* `podman`: Go's net.Listen on ":0", for UDP as well; up to fifteen tries until the number differs
 * from those of the same container. The numbers are chosen when the container is created, and bound
 * when it starts. */
#include <netinet/in.h>
#include <unistd.h>

#include "harness/storm/strategies/probing.h"

enum { TRIES = 15 };

/* Go listens on a dual-stack socket where it is given no address and the machine has IPv6. */
static struct endpoint anywhere(void) {
    struct endpoint endpoint = {.protocol = IPPROTO_TCP};
    endpoint_set_address(&endpoint, AF_INET6, &in6addr_any);
    return endpoint;
}

static bool is_taken(const struct publisher *publisher, const struct publication *publication) {
    for (uint32_t i = 0; i < publisher->settings->mappings; i++) {
        const struct publication *other = &publisher->publications[i];
        if (other != publication && !other->given_up &&
            endpoints_overlap(&other->endpoint, &publication->endpoint))
            return true;
    }
    return false;
}

void podman_choose(struct publisher *publisher) {
    const struct socket_options as_go = {.reuse_address = true, .listening = true};
    const struct endpoint where = anywhere();
    for (uint32_t i = 0; i < publisher->settings->mappings; i++) {
        struct publication *publication = &publisher->publications[i];
        if (!publication_wants_number(publication))
            continue;
        int fd = probe_number(publisher, publication, &where, &as_go);
        for (int tried = 1; fd >= 0 && tried < TRIES && is_taken(publisher, publication); tried++) {
            close(fd);
            fd = probe_again(publication, &where, &as_go);
        }
        if (fd >= 0)
            close(fd);
    }
}
