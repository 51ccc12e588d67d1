/* Lost races and double hand-outs are counted from the attempts that publishers noted, latencies
 * from the first attempt of a mapping to the bind that held. */
#include "harness/storm/statistics.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"

struct tickets {
    struct ticket *list;
    size_t count;
    size_t room;
};

static void collect(struct tickets *tickets, struct shared_state *shared) {
    for (uint32_t i = 0; i < shared->settings.publishers; i++) {
        uint32_t count = atomic_load(&shared_slot(shared, i)->attempt_count);
        const struct attempt *attempts = shared_attempts(shared, i);
        tickets->list = memory_grow(tickets->list, &tickets->room, tickets->count + count + 1,
                                    sizeof *tickets->list);
        for (uint32_t j = 0; j < count; j++)
            tickets->list[tickets->count++] = (struct ticket){&attempts[j], i};
    }
}

static void count_outcome(struct storm_result *result, const struct attempt *attempt) {
    switch (attempt->outcome) {
    case ATTEMPT_LOST:
        result->lost_races++;
        result->lost_given += attempt->by_kernel;
        break;
    case ATTEMPT_EXHAUSTED:
        result->exhausted++;
        break;
    case ATTEMPT_FAILED:
        if (result->failed++ == 0) {
            result->failed_error = attempt->error;
            result->failed_endpoint = attempt->endpoint;
        }
        break;
    default:
        break;
    }
}

static void count_latencies(struct storm_result *result, const struct tickets *tickets) {
    uint64_t begin[PUBLISH_MAPPINGS_MAX];
    uint32_t publisher = UINT32_MAX;
    for (size_t i = 0; i < tickets->count; i++) {
        const struct attempt *attempt = tickets->list[i].attempt;
        if (tickets->list[i].publisher != publisher)
            memset(begin, 0, sizeof begin);
        publisher = tickets->list[i].publisher;
        if (begin[attempt->mapping] == 0)
            begin[attempt->mapping] = attempt->begin_ns;
        if (attempt->outcome != ATTEMPT_HELD)
            continue;
        result->latencies = memory_grow(result->latencies, &result->latency_room,
                                        result->latency_count + 1, sizeof *result->latencies);
        result->latencies[result->latency_count++] = attempt->bound_ns - begin[attempt->mapping];
    }
}

static int by_port_and_time(const void *one, const void *other) {
    const struct attempt *a = ((const struct ticket *)one)->attempt;
    const struct attempt *b = ((const struct ticket *)other)->attempt;
    if (a->endpoint.port != b->endpoint.port)
        return a->endpoint.port < b->endpoint.port ? -1 : 1;
    if (a->chosen_ns != b->chosen_ns)
        return a->chosen_ns < b->chosen_ns ? -1 : 1;
    return (a > b) - (a < b);
}

/* Did the earlier one still rely on its number when the later one was given it? What is held is
 * relied on until the round ends. */
static bool both_rely(const struct attempt *earlier, const struct attempt *later) {
    if (earlier->outcome == ATTEMPT_LOST && earlier->bound_ns < later->chosen_ns)
        return false;
    return endpoints_overlap(&earlier->endpoint, &later->endpoint);
}

static bool was_given(const struct attempt *attempt, const struct storm_settings *settings) {
    bool datagram = attempt->endpoint.protocol == IPPROTO_UDP;
    if (settings->reuse_port || (datagram && settings->reuse_address))
        return false; /* who shares lawfully was given the number on purpose */
    return !attempt->named && attempt->endpoint.port != 0 &&
           (attempt->outcome == ATTEMPT_HELD || attempt->outcome == ATTEMPT_LOST);
}

static void count_double_handouts(struct storm_result *result, struct tickets *tickets,
                                  const struct storm_settings *settings) {
    if (tickets->count == 0)
        return;
    qsort(tickets->list, tickets->count, sizeof *tickets->list, by_port_and_time);
    for (size_t i = 1; i < tickets->count; i++) {
        const struct attempt *later = tickets->list[i].attempt;
        if (!was_given(later, settings))
            continue;
        for (size_t j = i; j-- > 0;) {
            const struct attempt *earlier = tickets->list[j].attempt;
            if (earlier->endpoint.port != later->endpoint.port)
                break;
            if (!was_given(earlier, settings) || !both_rely(earlier, later))
                continue;
            result->double_handouts++;
            break;
        }
    }
}

static uint64_t last_announced(struct shared_state *shared) {
    uint64_t last = shared->go_ns;
    for (uint32_t i = 0; i < shared->settings.publishers; i++)
        if (shared_slot(shared, i)->announced_ns > last)
            last = shared_slot(shared, i)->announced_ns;
    return last;
}

void statistics_round(struct storm_result *result, const struct storm_plan *plan,
                      struct shared_state *shared) {
    struct tickets tickets = {0};
    collect(&tickets, shared);
    for (size_t i = 0; i < tickets.count; i++)
        count_outcome(result, tickets.list[i].attempt);
    count_latencies(result, &tickets);
    if (result->strategy->prediction == PREDICTS_BIRTHDAY)
        expected_add_round(&result->expected, tickets.list, tickets.count, plan->range,
                           result->strategy->as_go && !shared->settings.probes_closed_at_once);
    count_double_handouts(result, &tickets, &shared->settings);
    result->publishing_ns += last_announced(shared) - shared->go_ns;
    free(tickets.list);
}
