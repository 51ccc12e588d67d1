/* `docker`: the daemon remembers what it gave, so its publishers never get one number twice; the
 * bind is real and held. What other daemons and other programs have, it learns when a bind fails,
 * and then takes the next number, ten times at most. */
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "harness/storm/strategies/strategy.h"

enum { ATTEMPTS = 10 };

static struct allocator *daemon_of(struct publisher *publisher) {
    return shared_allocator(publisher->shared, publisher->index % publisher->settings->daemons);
}

static void choose_next(struct publisher *publisher, struct publication *publication) {
    publisher_attempt(publisher, publication);
    unsigned port = allocator_give(daemon_of(publisher), &publication->endpoint, publisher->index,
                                   publisher->settings->range_low, publisher->settings->range_high);
    if (port != 0) {
        publisher_chose(publication, port);
        return;
    }
    publisher_ended(publication, ATTEMPT_EXHAUSTED, EADDRINUSE);
    publication->given_up = true;
}

void docker_choose(struct publisher *publisher) {
    for (uint32_t i = 0; i < publisher->settings->mappings; i++) {
        struct publication *publication = &publisher->publications[i];
        /* The bridge driver makes its v6 sockets for v6 alone. */
        publication->endpoint.v6only = publication->endpoint.family == AF_INET6;
        if (publication_wants_number(publication))
            choose_next(publisher, publication);
    }
}

static void take_back(struct publisher *publisher, const struct publication *publication) {
    if (publication->mapping->host_port <= 0 && publication->endpoint.port != 0)
        allocator_take(daemon_of(publisher), &publication->endpoint, publication->endpoint.port);
}

static void hold_one(struct publisher *publisher, struct publication *publication) {
    for (int attempt = 1; !publication->given_up; attempt++) {
        hold_publication(publisher, publication);
        if (publication->held)
            return;
        bool again = publication->attempt->outcome == ATTEMPT_LOST && attempt < ATTEMPTS &&
                     publication->mapping->host_port <= 0;
        take_back(publisher, publication);
        publication->endpoint.port = 0;
        if (!again)
            return;
        publication->given_up = false;
        choose_next(publisher, publication);
    }
}

void docker_hold(struct publisher *publisher) {
    for (uint32_t i = 0; i < publisher->settings->mappings; i++)
        hold_one(publisher, &publisher->publications[i]);
}

void docker_release(struct publisher *publisher) {
    release_sockets(publisher);
    for (uint32_t i = 0; i < publisher->settings->mappings; i++)
        if (publisher->publications[i].held)
            take_back(publisher, &publisher->publications[i]);
}
