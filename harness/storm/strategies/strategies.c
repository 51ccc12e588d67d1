/* The table of strategies, and the steps that several of them share. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "harness/storm/strategies/strategy.h"

#define MS UINT64_C(1000000)

const struct strategy strategies[] = {
    {"hold", "binds port 0 and keeps it", choose_nothing, hold_chosen, announce_held,
     release_sockets, 0, 0, PREDICTS_NONE, false, false},
    {"probe", "binds port 0, reads the number, lets go, binds that number later", probe_choose,
     hold_chosen, announce_held, release_sockets, 0, 2 * MS, PREDICTS_BIRTHDAY, false, false},
    {"kind", "probes by TCP as Kind does, all of a node together, then the runtime binds",
     kind_choose, hold_chosen, announce_held, release_sockets, 1 * MS, 10 * MS, PREDICTS_BIRTHDAY,
     true, false},
    {"docker", "an allocator with memory, real binds, ten attempts", docker_choose, docker_hold,
     announce_held, docker_release, 0, 0, PREDICTS_NOTHING, true, false},
    {"podman", "probes by TCP, fifteen tries, and binds when the container starts", podman_choose,
     hold_chosen, announce_held, release_sockets, 20 * MS, 100 * MS, PREDICTS_BIRTHDAY, true,
     false},
    {"nerdctl", "reads /proc/net and takes the lowest free number", nerdctl_choose, hold_chosen,
     announce_held, release_sockets, 0, 2 * MS, PREDICTS_NOTHING, true, false},
    {"fixed", "binds the number that the file names, the same for everybody", fixed_choose,
     hold_chosen, announce_held, release_sockets, 0, 0, PREDICTS_NOTHING, false, false},
    {"broken-unheld", "announces a port that it does not hold", choose_nothing, hold_chosen,
     broken_unheld_announce, release_sockets, 0, 0, PREDICTS_NONE, false, true},
    {"broken-neighbour", "announces another's port", choose_nothing, hold_chosen,
     broken_neighbour_announce, release_sockets, 0, 0, PREDICTS_NONE, false, true},
    {"broken-silent", "holds a port and does not announce it", choose_nothing, hold_chosen,
     broken_silent_announce, release_sockets, 0, 0, PREDICTS_NONE, false, true},
    {"broken-token", "answers with a wrong token", choose_nothing, hold_chosen,
     broken_token_announce, release_sockets, 0, 0, PREDICTS_NONE, false, true},
    {.name = NULL}};

int strategy_find(const char *name) {
    for (int i = 0; strategies[i].name != NULL; i++)
        if (strcmp(strategies[i].name, name) == 0)
            return i;
    return -1;
}

bool publication_wants_number(const struct publication *publication) {
    return publication->endpoint.port == 0 && !publication->given_up;
}

struct socket_options publishing_options(const struct publisher *publisher,
                                         const struct publication *publication) {
    const struct storm_settings *settings = publisher->settings;
    bool datagram = publication->endpoint.protocol == IPPROTO_UDP;
    return (struct socket_options){
        .reuse_address =
            settings->reuse_address || (strategies[settings->strategy].as_go && !datagram),
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
