/* An announced claim needs no proof: the program said itself that the endpoint is its own. */
#include <stdlib.h>

#include "harness/base/memory.h"
#include "harness/check/ancestry.h"
#include "harness/check/detectors/detectors.h"

/* A claim lasts as long as its socket's binding; one that names what its socket does not hold,
 * until the process binds something else. */
struct span {
    const struct announced_claim *claim;
    uint64_t from_ns;
    uint64_t to_ns;
    uint32_t binding;         /* that holds what is announced; MAP_NONE: none */
    enum certainty certainty; /* of its end */
};

static uint64_t next_request_ns(const struct history *history, const struct call *claim) {
    uint64_t next = claim->end_ns;
    for (size_t i = 0; i < history->bindings.count; i++) {
        const struct binding *binding = &history->bindings.list[i];
        if (binding->process == claim->process && binding->begin_ns > claim->end_ns &&
            (next == claim->end_ns || binding->begin_ns < next))
            next = binding->begin_ns;
    }
    return next;
}

static struct span span_of(const struct history *history, const struct announced_claim *claim) {
    struct span span = {.claim = claim,
                        .from_ns = claim->call.end_ns,
                        .to_ns = claim->call.end_ns,
                        .binding = MAP_NONE};
    uint32_t held =
        claim->call.cookie != 0 ? map_get(&history->of_cookie, claim->call.cookie) : MAP_NONE;
    if (held != MAP_NONE) {
        const struct endpoint endpoint = history_endpoint(history, held);
        if (endpoints_overlap(&endpoint, &claim->call.endpoint))
            span.binding = held;
    }
    if (span.binding == MAP_NONE) {
        span.to_ns = next_request_ns(history, &claim->call);
        return span;
    }
    const struct binding *binding = &history->bindings.list[span.binding];
    span.to_ns = binding->to_ns != 0 ? binding->to_ns : UINT64_MAX;
    span.certainty = certainty_if(binding->to_ns != 0 && binding->certainty == CERTAIN);
    return span;
}

static int by_port_and_time(const void *one, const void *other) {
    const struct span *a = one;
    const struct span *b = other;
    unsigned port = a->claim->call.endpoint.port;
    unsigned other_port = b->claim->call.endpoint.port;
    if (port != other_port)
        return port < other_port ? -1 : 1;
    return a->from_ns < b->from_ns ? -1 : a->from_ns > b->from_ns;
}

/* Where both hold what they announce, the kernel has allowed it: they share it, or one had been
 * released, whether or not that was seen. */
static bool collide(const struct span *one, const struct span *other) {
    return (one->binding == MAP_NONE || other->binding == MAP_NONE) &&
           one->to_ns >= other->from_ns && one->claim->call.process != other->claim->call.process &&
           endpoints_overlap(&one->claim->call.endpoint, &other->claim->call.endpoint) &&
           history_same_namespace(one->claim->netns, other->claim->netns);
}

static void tell(struct findings *findings, const struct span *one, const struct span *other) {
    struct finding *finding = findings_add(findings, FINDING_COLLISION);
    finding->subject = other->claim->call;
    finding->other = one->claim->call;
    finding->holder = HOLDER_TRACE;
    finding->endpoint = other->claim->call.endpoint;
    finding->netns = other->claim->netns;
    finding->ns = other->claim->call.begin_ns;
    finding->certainty = certainty_worse(one->certainty, other->certainty);
}

void detect_collisions(const struct history *history, struct findings *findings) {
    size_t room = 0;
    if (history->claim_count == 0)
        return;
    struct span *spans = memory_grow(NULL, &room, history->claim_count, sizeof *spans);
    for (size_t i = 0; i < history->claim_count; i++)
        spans[i] = span_of(history, &history->claims[i]);
    qsort(spans, history->claim_count, sizeof *spans, by_port_and_time);
    size_t first = 0; /* the earliest of the port that may last still */
    for (size_t i = 1; i < history->claim_count; i++) {
        if (spans[i].claim->call.endpoint.port != spans[first].claim->call.endpoint.port)
            first = i;
        while (first < i && spans[first].to_ns < spans[i].from_ns)
            first++;
        for (size_t j = first; j < i; j++)
            if (collide(&spans[j], &spans[i])) {
                tell(findings, &spans[j], &spans[i]);
                break;
            }
    }
    free(spans);
}
