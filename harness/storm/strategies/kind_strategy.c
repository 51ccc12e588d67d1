/* `kind`: a publisher is a node. Kind searches by TCP, whatever the mapping's protocol, with Go's
 * net.Listen; since v0.22 it keeps a node's probes until all its mappings have numbers. A host port
 * of -1 is left to the runtime. */
#include <netinet/in.h>
#include <unistd.h>

#include "harness/storm/strategies/probing.h"

static void close_all(int *kept, uint32_t *count) {
    while (*count > 0)
        close(kept[--*count]);
}

void kind_choose(struct publisher *publisher) {
    const struct socket_options as_go = {.reuse_address = true, .listening = true};
    int kept[PUBLISH_MAPPINGS_MAX];
    uint32_t count = 0;
    uint32_t node = 0;
    for (uint32_t i = 0; i < publisher->settings->mappings; i++) {
        struct publication *publication = &publisher->publications[i];
        if (!publication_wants_number(publication) ||
            publication->mapping->host_port == HOST_PORT_RUNTIME)
            continue;
        if (publication->mapping->node != node)
            close_all(kept, &count);
        node = publication->mapping->node;
        struct endpoint where = publication->mapping->endpoint;
        where.protocol = IPPROTO_TCP;
        int fd = probe_number(publisher, publication, &where, &as_go);
        if (fd >= 0 && publisher->settings->probes_closed_at_once)
            close(fd);
        else if (fd >= 0)
            kept[count++] = fd;
    }
    close_all(kept, &count);
}
