/* A claim shows itself only afterwards: the kernel gave a number for port 0, the program read it
 * and released it, and later somebody who can have known it binds that very number. One bind proves
 * one assignment; a number that the binder named before it was given out proves nothing, nor does
 * one whose port the binder or a relative holds still. */
#include "harness/check/proofs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/check/ancestry.h"
#include "harness/check/held.h"

#define PICKED_TWICE_NS UINT64_C(1000000000)

/* So many that other threads of a process were given are looked through for one of its own thread.
 */
enum { OTHER_THREADS_MAX = 64 };

/* What is open while the requests for one port are gone through in the order of time. */
struct matching {
    struct history *history;
    struct indexes open[2]; /* assignments that no bind over TCP, and over UDP, proves yet, in the
                               order of their begin */
    struct indexes held;    /* those that may have the port still */
    uint32_t *place;        /* of each binding in by_port */
    uint64_t *latest_from; /* for each place: the latest from_ns of those of its port up to there */
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

static unsigned slot_of_protocol(const struct history *history, uint32_t index) {
    return history_is_udp(history, index) ? 1 : 0;
}

/* Shells and make may stand between whoever picked a number and whoever was refused it. A socket
 * that served was no pick. */
static bool may_be_distant(const struct history *history, uint32_t assignment, uint32_t attempt) {
    const struct binding *given = &history->bindings.list[assignment];
    const struct binding *bound = &history->bindings.list[attempt];
    return bound->from_ns == 0 && given->process != 0 && bound->process != 0 &&
           MACHINE_TRACE(given->process) == MACHINE_TRACE(bound->process) &&
           given->first_accepted == MAP_NONE;
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
    if (near)
        return TIER_SIBLING;
    return may_be_distant(history, assignment, attempt) ? TIER_DISTANT : TIER_NONE;
}

/* The first bind by number of this port that was noted under `key`: had it begun before `ns`, and,
 * in *surely, ended? */
static bool was_named(const struct matching *matching, const struct map *map, uint64_t key,
                      uint64_t ns, bool *surely) {
    uint32_t first = map_get(map, key);
    *surely = first != MAP_NONE && matching->history->requests[first].end_ns < ns;
    return first != MAP_NONE && matching->history->bindings.list[first].begin_ns < ns;
}

/* Did the number stand in the start-up strings of the binder's ancestors, which its own come from,
 * before `ns`? Whoever is above the first process of a trace began before it. */
static bool was_in_strings(const struct history *history, uint32_t attempt, uint64_t ns,
                           bool *surely) {
    const struct machine *machine = history->machine;
    uint64_t process = history->bindings.list[attempt].process;
    unsigned ancestors = PW_ANCESTORS_OF_FLAGS(history->requests[attempt].flags);
    bool is_first = false;
    *surely = false;
    if (ancestors == 0)
        return false;
    for (; ancestors > 0 && process != 0; ancestors--) {
        is_first = MACHINE_LOCAL(ancestry_process(machine, process)) == 1;
        process = ancestry_maker(machine, process);
    }
    uint64_t began = ancestry_program_began_ns(machine, process);
    *surely = process == 0 ? is_first : began != 0 && began < ns;
    return *surely || began == 0;
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
    bool strings_certain;
    bool strings = was_in_strings(history, attempt, given->begin_ns, &strings_certain);
    *drop = (own_certain && !same) || ((parent_certain || strings_certain) && tier < TIER_RELATED);
    return own || parent || strings;
}

/* Had somebody else the port since, who could not have shared it with the assignment? Whoever began
 * to ask after it is looked at in the order of time: the first one is as a rule near. */
static bool was_superseded(const struct matching *matching, uint32_t assignment, uint32_t attempt) {
    const struct history *history = matching->history;
    unsigned port = history->bindings.list[attempt].requested_port;
    uint64_t from_ns = history->bindings.list[assignment].from_ns;
    uint32_t place = matching->place[assignment];
    uint32_t end = history_end_of_port(history, port, history->requests[attempt].end_ns);
    for (uint32_t i = place + 1; i < end; i++)
        if (history->by_port[i] != attempt &&
            held_supersedes(history, history->by_port[i], assignment))
            return true;
    for (uint32_t i = place;
         i > history->first_of_port[port] && matching->latest_from[i - 1] > from_ns; i--)
        if (history->by_port[i - 1] != attempt &&
            held_supersedes(history, history->by_port[i - 1], assignment))
            return true;
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
static bool fits(const struct matching *matching, uint32_t assignment, uint32_t attempt) {
    const struct history *history = matching->history;
    const struct binding *given = &history->bindings.list[assignment];
    const struct request *request = &history->requests[assignment];
    const struct binding *bound = &history->bindings.list[attempt];
    if (request->end_ns > bound->begin_ns || request->read_ns > bound->begin_ns ||
        request->cookie == history->requests[attempt].cookie ||
        !history_same_namespace(given->netns, bound->netns) ||
        was_in_sandbox(history, assignment, history->requests[attempt].end_ns))
        return false;
    /* A release that overlaps the bind may have come before it. */
    if (held_released(history, assignment, history->requests[attempt].end_ns) != RELEASE_NOT_SEEN ||
        was_superseded(matching, assignment, attempt))
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

/* The bind that proves it. */
static const struct request *taker_of(const struct history *history, uint32_t assignment,
                                      uint32_t attempt) {
    uint32_t by = history->requests[assignment].proved_by[slot_of_protocol(history, attempt)];
    return &history->requests[by];
}

/* Could either be the later one? */
static bool is_as_late(const struct history *history, uint32_t one, uint32_t other) {
    return history->bindings.list[one].begin_ns <= history->requests[other].end_ns &&
           history->bindings.list[other].begin_ns <= history->requests[one].end_ns;
}

static uint64_t failure_key(const struct history *history, uint32_t attempt) {
    const struct binding *bound = &history->bindings.list[attempt];
    const struct endpoint endpoint = history_endpoint(history, attempt);
    return key_of((uint64_t)bound->requested_port | (uint64_t)endpoint.protocol << 16,
                  bound->process);
}

/* The bind that failed, and that the failed one repeats; MAP_NONE: none. */
static uint32_t failed_before(const struct matching *matching, uint32_t attempt) {
    uint32_t before = map_get(&matching->failed, failure_key(matching->history, attempt));
    bool failed = matching->history->bindings.list[attempt].from_ns == 0;
    return failed && before != MAP_NONE && before != 0 ? before - 1 : MAP_NONE;
}

/* A bind that the same process has tried before, and that failed, is not a new loss. */
static void note_failure(struct matching *matching, uint32_t attempt) {
    struct history *history = matching->history;
    uint64_t key = failure_key(history, attempt);
    uint32_t before = failed_before(matching, attempt);
    if (history->bindings.list[attempt].from_ns != 0) {
        if (map_get(&matching->failed, key) != MAP_NONE)
            map_put(&matching->failed, key, 0);
        return;
    }
    if (before != MAP_NONE && history->requests[attempt].proves == MAP_NONE) {
        history->requests[attempt].repeats = before;
        history->requests[before].times++;
        return;
    }
    map_put(&matching->failed, key, attempt + 1);
}

/* What one bind by number may prove: the candidate that fits best, and what else there is. */
struct choice {
    uint32_t best;   /* MAP_NONE: none */
    uint32_t shared; /* the best of those that another bind seems to prove, or may prove */
    enum tier tier;  /* of each */
    enum tier shared_tier;
    enum tier possible_tier; /* the best of those that another seems to prove, but not surely */
    enum certainty certainty;
    bool is_of_thread; /* the best one is of the thread that binds */
    bool dropped;      /* one that is later, perhaps, and that the binder may not have meant */
    unsigned count;
    uint64_t latest_ns; /* when the latest of them all had been given */
};

/* Of two that a process was given in different threads, a thread that binds means its own, though
 * another was given the number later: tests that run at the same time in one process. */
static bool is_own_of_thread(const struct history *history, uint32_t assignment, uint32_t attempt,
                             enum tier tier) {
    return tier == TIER_OWN &&
           history->requests[assignment].thread == history->requests[attempt].thread;
}

static void choose_best(struct choice *choice, uint32_t assignment, enum tier tier,
                        enum certainty certainty, bool is_of_thread) {
    choice->best = assignment;
    choice->tier = tier;
    choice->certainty = certainty;
    choice->is_of_thread = is_of_thread;
}

static void consider(const struct matching *matching, struct choice *choice, uint32_t assignment,
                     uint32_t attempt, enum tier tier) {
    const struct history *history = matching->history;
    bool drop;
    bool taken = is_taken(history, assignment, attempt, tier);
    const struct request *taker = taken ? taker_of(history, assignment, attempt) : NULL;
    bool is_possible = taken && request_certainty(taker) == POSSIBLE;
    if (taken && !is_possible && !taker->has_alternative)
        return;
    bool before = was_meant_before(matching, assignment, attempt, tier, &drop);
    if (drop) {
        choice->dropped = true;
        return;
    }
    choice->count += tier > TIER_DISTANT;
    if (tier > TIER_DISTANT && history->requests[assignment].end_ns > choice->latest_ns)
        choice->latest_ns = history->requests[assignment].end_ns;
    if (is_possible && tier > choice->possible_tier)
        choice->possible_tier = tier;
    if (taken) {
        if (tier > choice->shared_tier) {
            choice->shared = assignment;
            choice->shared_tier = tier;
        }
        return;
    }
    bool is_of_thread = is_own_of_thread(history, assignment, attempt, tier);
    if (tier > choice->tier) {
        choose_best(choice, assignment, tier, certainty_if(!before), is_of_thread);
    } else if (is_of_thread && !choice->is_of_thread) {
        choose_best(choice, assignment, tier, POSSIBLE, true);
    } else if (tier == choice->tier && is_as_late(history, assignment, choice->best)) {
        choice->certainty = POSSIBLE;
    }
}

static struct choice choose(const struct matching *matching, uint32_t attempt) {
    const struct history *history = matching->history;
    const struct indexes *open = &matching->open[slot_of_protocol(history, attempt)];
    struct choice choice = {.best = MAP_NONE, .shared = MAP_NONE, .certainty = CERTAIN};
    for (size_t i = open->count; i-- > 0;) {
        uint32_t assignment = open->list[i];
        if (choice.tier == TIER_OWN && choice.count > 1 &&
            (choice.is_of_thread || choice.count > OTHER_THREADS_MAX) &&
            !is_as_late(history, assignment, choice.best))
            break;
        if (!fits(matching, assignment, attempt))
            continue;
        enum tier tier = tier_of(history, assignment, attempt);
        if (tier != TIER_NONE)
            consider(matching, &choice, assignment, attempt, tier);
    }
    return choice;
}

/* Who asked for the number once more, and has it, knows it from there: that the bind was refused
 * may be what was expected. Where somebody else has it, of the process or above, less so. */
static bool explains(const struct history *history, uint32_t holder, uint32_t assignment) {
    return holder != MAP_NONE &&
           history->bindings.list[holder].process == history->bindings.list[assignment].process &&
           history->requests[holder].thread == history->requests[assignment].thread;
}

/* One who picks a number for each of his servers and is given one twice, soon after each other,
 * does not expect the second server to be refused. */
static bool was_picked_twice(const struct history *history, uint32_t holder, uint32_t assignment) {
    uint32_t other = holder != MAP_NONE ? history->requests[holder].proves : MAP_NONE;
    if (other == MAP_NONE || other == assignment)
        return false;
    uint64_t one = history->bindings.list[other].from_ns;
    uint64_t two = history->bindings.list[assignment].from_ns;
    return (one > two ? one - two : two - one) <= PICKED_TWICE_NS;
}

/* A process that was refused what it has bound by that number already was given it once and has it:
 * nobody has taken anything from it. */
static bool has_it_already(const struct history *history, uint32_t attempt, uint32_t holder,
                           uint32_t assignment) {
    return holder != MAP_NONE && history->bindings.list[attempt].from_ns == 0 &&
           history->requests[holder].proves == assignment &&
           history->bindings.list[holder].process == history->bindings.list[attempt].process;
}

static void prove(struct matching *matching, uint32_t attempt) {
    struct history *history = matching->history;
    struct request *request = &history->requests[attempt];
    struct known_from known = held_explain(&matching->held, history, attempt);
    if (known.holder != MAP_NONE && history->bindings.list[attempt].from_ns != 0)
        return; /* it shares the port that it knows the number from */
    struct choice choice = choose(matching, attempt);
    bool shared = choice.best == MAP_NONE;
    uint32_t best = shared ? choice.shared : choice.best;
    if (best == MAP_NONE || (shared && failed_before(matching, attempt) != MAP_NONE))
        return;
    if (has_it_already(history, attempt, known.holder, best))
        return;
    const struct binding *bound = &history->bindings.list[attempt];
    const struct binding *given = &history->bindings.list[best];
    if (best != MAP_NONE && was_picked_twice(history, known.holder, best))
        known = (struct known_from){.holder = MAP_NONE};
    request->is_explained = known.is_own || explains(history, known.holder, best);
    request->proves = best;
    request->tier = (uint8_t)(shared ? choice.shared_tier : choice.tier);
    /* What a torn record was given may be what was meant. */
    uint64_t torn_ns = history_torn_before(history, bound->begin_ns);
    request->latest_given_ns = torn_ns > choice.latest_ns ? torn_ns : choice.latest_ns;
    request->has_alternative = choice.count > 1;
    request->release_certainty =
        certainty_if(held_released(history, best, bound->begin_ns) == RELEASE_CERTAIN);
    if (!shared && !request->is_explained)
        history->requests[best].proved_by[slot_of_protocol(history, attempt)] = attempt;
    if (shared || known.holder != MAP_NONE || choice.dropped ||
        choice.possible_tier >= choice.tier || choice.tier <= TIER_SIBLING || bound->netns == 0 ||
        given->netns == 0 || bound->certainty == POSSIBLE || given->certainty == POSSIBLE)
        choice.certainty = POSSIBLE;
    request->proof_certainty =
        certainty_worse(choice.certainty, machine_certainty(history->machine, given->begin_ns,
                                                            history->requests[attempt].end_ns));
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

/* The assignment that the attempt proves is out of the question for others, unless it is possible
 * only that it does. */
static void drop_proved(struct matching *matching, uint32_t attempt) {
    const struct history *history = matching->history;
    const struct request *request = &history->requests[attempt];
    struct indexes *open = &matching->open[slot_of_protocol(history, attempt)];
    if (request->proves == MAP_NONE || request->tier < TIER_NEAR || request->has_alternative ||
        request_certainty(request) == POSSIBLE)
        return;
    size_t i = open->count;
    while (i > 0 && open->list[i - 1] != request->proves)
        i--;
    if (i == 0)
        return;
    memmove(open->list + i - 1, open->list + i, (open->count - i) * sizeof *open->list);
    open->count--;
}

static void number_places(struct matching *matching) {
    const struct history *history = matching->history;
    size_t places = 0;
    size_t room = 0;
    matching->place = memory_grow(NULL, &places, history->bindings.count, sizeof *matching->place);
    matching->latest_from =
        memory_grow(NULL, &room, history->by_port_count, sizeof *matching->latest_from);
    for (unsigned port = 0; port < SELECTION_PORTS; port++) {
        uint64_t latest = 0;
        for (uint32_t i = history->first_of_port[port]; i < history->first_of_port[port + 1]; i++) {
            uint64_t from_ns = history->bindings.list[history->by_port[i]].from_ns;
            latest = from_ns > latest ? from_ns : latest;
            matching->place[history->by_port[i]] = i;
            matching->latest_from[i] = latest;
        }
    }
}

static void match_port(struct matching *matching, unsigned port) {
    struct history *history = matching->history;
    matching->open[0].count = matching->open[1].count = matching->held.count = 0;
    for (uint32_t i = history->first_of_port[port]; i < history->first_of_port[port + 1]; i++) {
        uint32_t index = history->by_port[i];
        if (proofs_is_assignment(history, index)) {
            indexes_append(&matching->open[0], index);
            indexes_append(&matching->open[1], index);
        }
        if (proofs_is_attempt(history, index)) {
            prove(matching, index);
            note_failure(matching, index);
            note_named(matching, index);
            drop_proved(matching, index);
        }
        if (history->bindings.list[index].from_ns != 0)
            held_note(&matching->held, history, index);
    }
}

void proofs_find(struct history *history) {
    struct matching matching = {.history = history};
    number_places(&matching);
    for (unsigned port = 1; port < SELECTION_PORTS; port++)
        match_port(&matching, port);
    free(matching.open[0].list);
    free(matching.open[1].list);
    free(matching.held.list);
    free(matching.place);
    free(matching.latest_from);
    map_free(&matching.named);
    map_free(&matching.family);
    map_free(&matching.failed);
}
