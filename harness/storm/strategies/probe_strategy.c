/* `probe`: what most test suites do. Every number has been released before the first is bound. */
#include <errno.h>
#include <unistd.h>

#include "harness/storm/strategies/probing.h"

int probe_again(struct publication *publication, const struct endpoint *where,
                const struct socket_options *options) {
    struct endpoint probed = *where;
    probed.port = 0;
    publication->attempt->by_kernel = true;
    publication->attempt->probe_reuse = options->reuse_address;
    publication->attempt->probed = probed;
    int fd = socket_publish(&probed, options);
    if (fd >= 0) {
        publisher_chose(publication, probed.port);
        return fd;
    }
    publisher_ended(publication, errno == EADDRINUSE ? ATTEMPT_EXHAUSTED : ATTEMPT_FAILED, errno);
    publication->given_up = true;
    return -1;
}

int probe_number(struct publisher *publisher, struct publication *publication,
                 const struct endpoint *where, const struct socket_options *options) {
    publisher_attempt(publisher, publication);
    return probe_again(publication, where, options);
}

void probe_choose(struct publisher *publisher) {
    const struct socket_options options = {.reuse_address = publisher->settings->reuse_address,
                                           .reuse_port = publisher->settings->reuse_port};
    for (uint32_t i = 0; i < publisher->settings->mappings; i++) {
        struct publication *publication = &publisher->publications[i];
        if (!publication_wants_number(publication))
            continue;
        int fd = probe_number(publisher, publication, &publication->mapping->endpoint, &options);
        if (fd >= 0)
            close(fd);
    }
}
