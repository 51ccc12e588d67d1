/* The steps that several strategies share. */
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "harness/storm/strategies/strategy.h"

bool publication_wants_number(const struct publication *publication) {
    return publication->endpoint.port == 0 && !publication->given_up;
}

struct socket_options publishing_options(const struct publisher *publisher,
                                         const struct publication *publication) {
    const struct storm_settings *settings = publisher->settings;
    bool datagram = publication->endpoint.protocol == IPPROTO_UDP;
    return (struct socket_options){
        .reuse_address = settings->reuse_address || (publisher->strategy->as_go && !datagram),
        .reuse_port = settings->reuse_port,
        .listening = true,
    };
}

void choose_nothing(struct publisher *publisher) { (void)publisher; }

void hold_publication(struct publisher *publisher, struct publication *publication) {
    const struct socket_options options = publishing_options(publisher, publication);
    bool chosen = publication->endpoint.port != 0;
    if (!chosen)
        publisher_attempt(publisher, publication);
    publication->socket = socket_publish(&publication->endpoint, &options);
    publication->held = publication->socket >= 0;
    if (publication->held)
        publisher_ended(publication, ATTEMPT_HELD, 0);
    else if (errno == EADDRINUSE)
        publisher_ended(publication, chosen ? ATTEMPT_LOST : ATTEMPT_EXHAUSTED, errno);
    else
        publisher_ended(publication, ATTEMPT_FAILED, errno);
    publication->given_up = !publication->held;
}

void hold_chosen(struct publisher *publisher) {
    for (uint32_t i = 0; i < publisher->settings->mappings; i++)
        if (!publisher->publications[i].given_up)
            hold_publication(publisher, &publisher->publications[i]);
}

void announce_held(struct publisher *publisher) {
    for (uint32_t i = 0; i < publisher->settings->mappings; i++) {
        const struct publication *publication = &publisher->publications[i];
        if (publication->held)
            publisher_announce_endpoint(publisher, publication, &publication->endpoint);
    }
}

void release_sockets(struct publisher *publisher) {
    for (uint32_t i = 0; i < publisher->settings->mappings; i++) {
        struct publication *publication = &publisher->publications[i];
        if (publication->socket >= 0)
            close(publication->socket);
        publication->socket = -1;
    }
}
