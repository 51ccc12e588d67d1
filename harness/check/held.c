/* A program that names a number whose port it holds itself (a second family, a handover with
 * SO_REUSEPORT, a test of a refusal) knows the number from there. */
#include "harness/check/held.h"

#include "harness/base/memory.h"
#include "harness/check/ancestry.h"

/* No bind takes longer, so what began so long before is not looked at. */
#define LONGEST_BIND_NS UINT64_C(1000000000)

enum release held_released(const struct history *history, uint32_t index, uint64_t ns) {
    const struct binding *binding = &history->bindings.list[index];
    const struct request *request = &history->requests[index];
    if (binding->to_ns == 0 || binding->to_ns > ns) {
        bool closing = binding->to_ns != 0 && binding->to_ns == request->closed_ns &&
                       request->closing_ns <= ns;
        return binding->certainty == POSSIBLE || closing ? RELEASE_POSSIBLE : RELEASE_NOT_SEEN;
    }
    if (binding->certainty == POSSIBLE || binding->end_known_by == END_INFERRED ||
        binding->end_known_by == END_EXIT)
        return RELEASE_POSSIBLE;
    return RELEASE_CERTAIN;
}

void indexes_append(struct indexes *indexes, uint32_t index) {
    indexes->list =
        memory_grow(indexes->list, &indexes->room, indexes->count + 1, sizeof *indexes->list);
    indexes->list[indexes->count++] = index;
}

bool held_supersedes(const struct history *history, uint32_t later, uint32_t earlier) {
    const struct binding *one = &history->bindings.list[later];
    const struct binding *other = &history->bindings.list[earlier];
    return one->from_ns != 0 && one->from_ns > other->from_ns &&
           one->begin_ns + LONGEST_BIND_NS >= other->from_ns &&
           !history_may_share(history, later, earlier, one->begin_ns, false);
}

/* Had one that began to ask while the attempt was under way? */
static bool is_superseded_meanwhile(const struct history *history, uint32_t holder,
                                    uint32_t attempt) {
    unsigned port = history->bindings.list[attempt].requested_port;
    uint32_t i = history_end_of_port(history, port, history->requests[attempt].end_ns);
    while (i-- > history->first_of_port[port] && history->by_port[i] != attempt)
        if (held_supersedes(history, history->by_port[i], holder))
            return true;
    return false;
}

/* A number that the kernel gave is known to who has read it. */
static bool is_known(const struct history *history, uint32_t holder, uint64_t ns) {
    const struct request *request = &history->requests[holder];
    return history->bindings.list[holder].requested_port != 0 ||
           (request->read_ns != 0 && request->read_ns <= ns);
}

/* What has the port by number says nothing of a bind over another protocol. */
static bool holds_still(const struct history *history, uint32_t holder, uint32_t attempt) {
    const struct binding *bound = &history->bindings.list[attempt];
    const struct binding *held = &history->bindings.list[holder];
    const struct request *request = &history->requests[attempt];
    return (held->requested_port == 0 ||
            history_is_udp(history, holder) == history_is_udp(history, attempt)) &&
           history->requests[holder].end_ns <= bound->begin_ns &&
           is_known(history, holder, bound->begin_ns) &&
           history_same_namespace(held->netns, bound->netns) &&
           history->requests[holder].cookie != request->cookie &&
           held_released(history, holder, request->end_ns) == RELEASE_NOT_SEEN &&
           (bound->from_ns == 0 ||
            history_may_share(history, attempt, holder, bound->begin_ns, false)) &&
           !is_superseded_meanwhile(history, holder, attempt);
}

/* May the binder have the number from the holder? */
static bool may_know(const struct history *history, uint32_t holder, uint32_t attempt) {
    const struct binding *bound = &history->bindings.list[attempt];
    uint64_t other = history->bindings.list[holder].process;
    if (bound->from_ns != 0)
        return ancestry_is_related(history->machine, other, bound->process);
    return ancestry_is_above(history->machine, other, bound->process);
}

struct known_from held_explain(struct indexes *held, const struct history *history,
                               uint32_t attempt) {
    const struct binding *bound = &history->bindings.list[attempt];
    struct known_from known = {.holder = MAP_NONE};
    size_t kept = 0;
    for (size_t i = 0; i < held->count; i++) {
        uint32_t holder = held->list[i];
        if (held_released(history, holder, bound->begin_ns) != RELEASE_NOT_SEEN)
            continue;
        held->list[kept++] = holder;
        if (known.is_own || !may_know(history, holder, attempt) ||
            !holds_still(history, holder, attempt))
            continue;
        known.holder = holder;
        known.is_own = history->bindings.list[holder].process == bound->process &&
                       history->requests[holder].thread == history->requests[attempt].thread;
    }
    held->count = kept;
    return known;
}

void held_note(struct indexes *held, const struct history *history, uint32_t newcomer) {
    bool holds = true;
    size_t kept = 0;
    for (size_t i = 0; i < held->count; i++) {
        uint32_t holder = held->list[i];
        holds = holds && !held_supersedes(history, holder, newcomer);
        if (!held_supersedes(history, newcomer, holder))
            held->list[kept++] = holder;
    }
    held->count = kept;
    if (holds)
        indexes_append(held, newcomer);
}
