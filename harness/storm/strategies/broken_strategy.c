/* Publishers that are wrong on purpose: a check that never complains checks nothing. The first
 * publisher is the broken one, the others hold and tell the truth. */
#include <sched.h>

#include "harness/storm/strategies/strategy.h"

static bool is_broken_one(const struct publisher *publisher) { return publisher->index == 0; }

/* A number outside of the local port range, which nobody is given. */
static uint16_t nobodys_port(const struct publisher *publisher) {
    const struct storm_settings *settings = publisher->settings;
    return settings->range_low > 1 ? (uint16_t)(settings->range_low - 1)
                                   : (uint16_t)(settings->range_high + 1);
}

void broken_unheld_announce(struct publisher *publisher) {
    announce_held(publisher);
    if (!is_broken_one(publisher))
        return;
    struct publication *first = &publisher->publications[0];
    struct endpoint unheld = first->endpoint;
    unheld.port = nobodys_port(publisher);
    publisher_announce_endpoint(publisher, first, &unheld);
}

void broken_neighbour_announce(struct publisher *publisher) {
    announce_held(publisher);
    if (!is_broken_one(publisher) || publisher->settings->publishers < 2)
        return;
    struct slot *neighbour = shared_slot(publisher->shared, 1);
    uint64_t wanted = (uint64_t)atomic_load(&publisher->shared->round) * 4 + PHASE_ANNOUNCED;
    while (atomic_load(&neighbour->progress) < wanted)
        sched_yield();
    if (atomic_load(&neighbour->announced_count) > 0)
        publisher_announce_endpoint(publisher, &publisher->publications[0],
                                    shared_announced(publisher->shared, 1));
}

void broken_silent_announce(struct publisher *publisher) {
    publisher->publications[0].held &= !is_broken_one(publisher);
    announce_held(publisher);
}

void broken_token_announce(struct publisher *publisher) {
    if (is_broken_one(publisher))
        publisher->answer = ~publisher->answer;
    announce_held(publisher);
}
