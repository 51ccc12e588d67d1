/* A claim shows itself only afterwards: the kernel gave a number for port 0, the program read it
 * and released it, and later somebody who can have known it binds that very number. One bind proves
 * one assignment; a number that the binder named before it was given out proves nothing. */
#include "harness/check/proofs.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "harness/base/memory.h"
#include "harness/check/ancestry.h"

/* No bind takes longer, so what began so long before is not looked at. */
#define LONGEST_BIND_NS UINT64_C(1000000000)

/* What is open while the requests for one port are gone through in the order of time. */
struct matching {
    struct history *history;
    uint32_t *open; /* assignments that nothing proves yet, in the order of their begin */
    size_t open_count;
    size_t open_room;
    struct map named; /* by (port, process): when + 1 it bound the port by number first, index of */
    struct map family; /* ... by (port, parent) */
    struct map failed; /* by (port, protocol, process): the bind by number that failed, plus 1 */
};

static uint64_t key_of(uint64_t port, uint64_t process) {
    return (process ^ port << 44) * UINT64_C(0x9e3779b97f4a7c15) ^ port;
}

bool proofs_is_assignment(const struct history *history, uint32_t index) {
    const struct binding *binding = &history->bindings.list[index];
    const struct request *request = &history->requests[index];
    return binding->from_ns != 0 && binding->requested_port == 0 && binding->port != 0 &&
           request->read_ns != 0 &&
           (request->kind == PW_KIND_BIND || request->kind == PW_KIND_LISTEN);
}

bool proofs_is_attempt(const struct history *history, uint32_t index) {
    const struct binding *binding = &history->bindings.list[index];
    return binding->requested_port != 0 && history->requests[index].kind == PW_KIND_BIND &&
           (binding->from_ns != 0 || binding->error == EADDRINUSE);
}

enum release proofs_released(const struct history *history, uint32_t index, uint64_t ns) {
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

static unsigned slot_of_protocol(const struct history *history, uint32_t index) {
    return history_endpoint(history, index).protocol == IPPROTO_UDP ? 1 : 0;
}

static enum tier tier_of(const struct history *history, uint32_t assignment, uint32_t attempt) {
    const struct machine *machine = history->machine;
    const struct request *given = &history->requests[assignment];
    const struct request *bound = &history->requests[attempt];
    uint64_t assigner = history->bindings.list[assignment].process;
    uint64_t binder = history->bindings.list[attempt].process;
    if (ancestry_is_same(machine, assigner, binder))
        return TIER_OWN;
    if (ancestry_is_related(machine, assigner, binder) ||
        (given->reader != assigner && ancestry_is_related(machine, given->reader, binder)))
        return TIER_RELATED;
    bool near = ancestry_is_sibling(machine, assigner, binder) ||
                (given->reader != assigner && ancestry_is_sibling(machine, given->reader, binder));
    uint64_t began = ancestry_program_began_ns(machine, binder);
    if ((bound->flags & (PW_FLAG_IN_ARGUMENTS | PW_FLAG_IN_ENVIRONMENT)) != 0 &&
        began >= given->read_ns)
        return near ? TIER_NEAR : TIER_HANDED;
    return near ? TIER_SIBLING : TIER_NONE;
}

/* The first bind by number of this port that was noted under `key`: had it begun before `ns`, and,
 * in *surely, ended? */
static bool was_named(const struct matching *matching, const struct map *map, uint64_t key,
                      uint64_t ns, bool *surely) {
    uint32_t first = map_get(map, key);
    *surely = first != MAP_NONE && matching->history->requests[first].end_ns < ns;
    return first != MAP_NONE && matching->history->bindings.list[first].begin_ns < ns;
}

/* Can the binder have meant its number before it was given out? `drop`: then it proves nothing. */
static bool was_meant_before(const struct matching *matching, uint32_t assignment, uint32_t attempt,
                             enum tier tier, bool *drop) {
    const struct history *history = matching->history;
    const struct machine *machine = history->machine;
    const struct binding *given = &history->bindings.list[assignment];
    const struct binding *bound = &history->bindings.list[attempt];
    unsigned port = bound->requested_port;
    bool own_certain;
    bool parent_certain;
    bool own = was_named(matching, &matching->named,
                         key_of(port, ancestry_process(machine, bound->process)), given->begin_ns,
                         &own_certain);
    bool parent = was_named(matching, &matching->family,
                            key_of(port, ancestry_parent(machine, bound->process)), given->begin_ns,
                            &parent_certain);
    bool same = ancestry_is_same(machine, given->process, bound->process);
    *drop = (own_certain && !same) || (parent_certain && tier < TIER_RELATED);
    return own || parent;
}

/* Had somebody else the port since, who could not have shared it with the assignment? */
static bool was_superseded(const struct history *history, uint32_t assignment, uint32_t attempt) {
    const struct binding *given = &history->bindings.list[assignment];
    unsigned port = history->bindings.list[attempt].requested_port;
    uint32_t end = history_end_of_port(history, port, history->requests[attempt].end_ns);
    for (uint32_t i = end; i-- > history->first_of_port[port];) {
        uint32_t index = history->by_port[i];
        const struct binding *other = &history->bindings.list[index];
        if (other->begin_ns + LONGEST_BIND_NS < given->from_ns)
            return false;
        if (index != attempt && index != assignment && other->from_ns > given->from_ns &&
            !history_may_share(history, index, assignment, other->begin_ns, false))
            return true;
    }
    return false;
}

/* It is not known who else had the sockets of a process in a sandbox, nor what it executed or
 * accepted: its closes do not prove that a port was free. */
static bool was_in_sandbox(const struct history *history, uint32_t index, uint64_t ns) {
    const struct process *process =
        machine_process(history->machine, history->bindings.list[index].process);
    return process != NULL && process->sandboxed_ns != 0 && process->sandboxed_ns <= ns;
}

/* Does the assignment come into question for the bind, as far as time and the kernel go? */
static bool fits(const struct history *history, uint32_t assignment, uint32_t attempt) {
    const struct binding *given = &history->bindings.list[assignment];
    const struct request *request = &history->requests[assignment];
    const struct binding *bound = &history->bindings.list[attempt];
    if (request->end_ns > bound->begin_ns || request->read_ns > bound->begin_ns ||
        request->cookie == history->requests[attempt].cookie ||
        !history_same_namespace(given->netns, bound->netns) ||
        was_in_sandbox(history, assignment, history->requests[attempt].end_ns))
        return false;
    /* A release that overlaps the bind may have come before it. */
    if (proofs_released(history, assignment, history->requests[attempt].end_ns) !=
            RELEASE_NOT_SEEN ||
        was_superseded(history, assignment, attempt))
        return true;
    /* Held as it seems. If the two cannot share the port, the bind that went well proves that it
     * was not; one that failed met the socket itself. */
    return bound->from_ns != 0 &&
           !history_may_share(history, attempt, assignment, bound->begin_ns, false);
}

/* Does another bind prove it, and no weaker than this one would? What a sibling may have meant does
 * not take it from who surely did. */
static bool is_taken(const struct history *history, uint32_t assignment, uint32_t attempt,
                     enum tier tier) {
    uint32_t by = history->requests[assignment].proved_by[slot_of_protocol(history, attempt)];
    enum tier before = by != MAP_NONE ? history->requests[by].tier : TIER_NONE;
    return before > TIER_SIBLING && (before >= tier || before >= TIER_NEAR);
}

static bool is_possibly_taken(const struct history *history, uint32_t assignment,
                              uint32_t attempt) {
    uint32_t by = history->requests[assignment].proved_by[slot_of_protocol(history, attempt)];
    return request_certainty(&history->requests[by]) == POSSIBLE;
}

/* Could either be the later one? */
static bool is_as_late(const struct history *history, uint32_t one, uint32_t other) {
    return history->bindings.list[one].begin_ns <= history->requests[other].end_ns &&
           history->bindings.list[other].begin_ns <= history->requests[one].end_ns;
}

static void prove(struct matching *matching, uint32_t attempt) {
    struct history *history = matching->history;
    const struct machine *machine = history->machine;
    uint32_t best = MAP_NONE;
    enum tier best_tier = TIER_NONE;
    enum tier shadow = TIER_NONE; /* of one that another bind seems to prove, but not surely */
    enum certainty certainty = CERTAIN;
    bool dropped = false; /* one that is later, perhaps, and that the binder may not have meant */
    for (size_t i = matching->open_count; i-- > 0;) {
        uint32_t assignment = matching->open[i];
        bool drop;
        if (best != MAP_NONE && best_tier == TIER_OWN && !is_as_late(history, assignment, best))
            break;
        if (!fits(history, assignment, attempt))
            continue;
        enum tier tier = tier_of(history, assignment, attempt);
        if (tier == TIER_NONE || tier < best_tier)
            continue;
        if (is_taken(history, assignment, attempt, tier)) {
            shadow =
                is_possibly_taken(history, assignment, attempt) && tier > shadow ? tier : shadow;
            continue;
        }
        bool before = was_meant_before(matching, assignment, attempt, tier, &drop);
        if (drop) {
            dropped = true;
            continue;
        }
        if (tier == best_tier) {
            if (is_as_late(history, assignment, best))
                certainty = POSSIBLE;
            continue;
        }
        best = assignment;
        best_tier = tier;
        certainty = certainty_if(!before);
    }
    if (best == MAP_NONE)
        return;
    const struct binding *bound = &history->bindings.list[attempt];
    const struct binding *given = &history->bindings.list[best];
    history->requests[best].proved_by[slot_of_protocol(history, attempt)] = attempt;
    history->requests[attempt].proves = best;
    history->requests[attempt].tier = (uint8_t)best_tier;
    history->requests[attempt].release_certainty =
        certainty_if(proofs_released(history, best, bound->begin_ns) == RELEASE_CERTAIN);
    if (dropped || shadow >= best_tier || best_tier == TIER_SIBLING || bound->netns == 0 ||
        given->netns == 0 || bound->certainty == POSSIBLE || given->certainty == POSSIBLE)
        certainty = POSSIBLE;
    history->requests[attempt].proof_certainty = certainty_worse(
        certainty, machine_certainty(machine, given->begin_ns, history->requests[attempt].end_ns));
}

/* A bind that the same process has tried before, and that failed, is not a new loss. */
static void note_failure(struct matching *matching, uint32_t attempt) {
    struct history *history = matching->history;
    const struct binding *bound = &history->bindings.list[attempt];
    const struct endpoint endpoint = history_endpoint(history, attempt);
    uint64_t key =
        key_of((uint64_t)bound->requested_port | (uint64_t)endpoint.protocol << 16, bound->process);
    uint32_t before = map_get(&matching->failed, key);
    if (bound->from_ns != 0) {
        if (before != MAP_NONE)
            map_put(&matching->failed, key, 0);
        return;
    }
    if (before != MAP_NONE && before != 0 && history->requests[attempt].proves == MAP_NONE) {
        history->requests[attempt].repeats = before - 1;
        history->requests[before - 1].times++;
        return;
    }
    map_put(&matching->failed, key, attempt + 1);
}

static void note_named(struct matching *matching, uint32_t attempt) {
    const struct binding *bound = &matching->history->bindings.list[attempt];
    const struct machine *machine = matching->history->machine;
    uint64_t own = key_of(bound->requested_port, ancestry_process(machine, bound->process));
    uint64_t parent = ancestry_parent(machine, bound->process);
    if (map_get(&matching->named, own) == MAP_NONE)
        map_put(&matching->named, own, attempt);
    uint64_t family = key_of(bound->requested_port, parent);
    if (parent != 0 && map_get(&matching->family, family) == MAP_NONE)
        map_put(&matching->family, family, attempt);
}

static void drop_proved(struct matching *matching) {
    size_t kept = 0;
    for (size_t i = 0; i < matching->open_count; i++) {
        const uint32_t *proved = matching->history->requests[matching->open[i]].proved_by;
        bool open = false;
        for (unsigned j = 0; j < 2; j++)
            open = open || proved[j] == MAP_NONE ||
                   matching->history->requests[proved[j]].tier < TIER_NEAR ||
                   request_certainty(&matching->history->requests[proved[j]]) == POSSIBLE;
        if (open)
            matching->open[kept++] = matching->open[i];
    }
    matching->open_count = kept;
}

static void match_port(struct matching *matching, unsigned port) {
    struct history *history = matching->history;
    matching->open_count = 0;
    for (uint32_t i = history->first_of_port[port]; i < history->first_of_port[port + 1]; i++) {
        uint32_t index = history->by_port[i];
        if (proofs_is_assignment(history, index)) {
            matching->open = memory_grow(matching->open, &matching->open_room,
                                         matching->open_count + 1, sizeof *matching->open);
            matching->open[matching->open_count++] = index;
        }
        if (!proofs_is_attempt(history, index))
            continue;
        prove(matching, index);
        note_failure(matching, index);
        note_named(matching, index);
        drop_proved(matching);
    }
}

void proofs_find(struct history *history) {
    struct matching matching = {.history = history};
    for (unsigned port = 1; port < SELECTION_PORTS; port++)
        match_port(&matching, port);
    free(matching.open);
    map_free(&matching.named);
    map_free(&matching.family);
    map_free(&matching.failed);
}
