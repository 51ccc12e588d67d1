/* A number is good in the network namespace that gave it, and says nothing of any other: a daemon
 * that picks in its own and binds in a container's is as well off with a number that it made up. */
#include <errno.h>

#include "harness/check/ancestry.h"
#include "harness/check/detectors/detectors.h"
#include "harness/check/proofs.h"
#include "harness/check/relatives.h"

static bool is_other_namespace(const struct history *history, uint32_t one, uint32_t other) {
    uint64_t first = history->bindings.list[one].netns;
    uint64_t second = history->bindings.list[other].netns;
    return first != 0 && second != 0 && first != second;
}

/* Can the binder have the number from there? By a pipe or a file, too. */
static bool may_know(const struct history *history, uint32_t pick, uint32_t attempt) {
    const struct machine *machine = history->machine;
    uint64_t picker = history->bindings.list[pick].process;
    uint64_t binder = history->bindings.list[attempt].process;
    return ancestry_is_related(machine, picker, binder) ||
           ancestry_is_sibling(machine, picker, binder);
}

/* While the requests for one port are gone through in the order of time. */
struct picking {
    struct history *history;
    struct findings *findings;
    struct relatives picks; /* assignments, by their places in by_port */
    struct relatives
        named; /* for each process the first binds by number, by it and by those below it */
};

/* When the binder, or a relative, had first asked for the number: what is picked later means
 * another thing. */
static uint64_t named_ns(struct picking *picking, uint32_t attempt) {
    const struct history *history = picking->history;
    uint64_t ns = UINT64_MAX;
    uint32_t place;
    relatives_seek_related(&picking->named, history->bindings.list[attempt].process);
    while ((place = relatives_next(&picking->named)) != MAP_NONE)
        ns = history->bindings.list[history->by_port[place]].begin_ns;
    return ns;
}

/* The latest that fits; MAP_NONE: there is none. */
static uint32_t find_pick(struct picking *picking, uint32_t attempt) {
    const struct history *history = picking->history;
    const struct binding *bound = &history->bindings.list[attempt];
    uint64_t ns = named_ns(picking, attempt);
    uint32_t place;
    relatives_seek_family(&picking->picks, bound->process);
    while ((place = relatives_next(&picking->picks)) != MAP_NONE) {
        uint32_t index = history->by_port[place];
        if (history->requests[index].read_ns <= bound->begin_ns &&
            is_other_namespace(history, index, attempt) && may_know(history, index, attempt) &&
            history->bindings.list[index].begin_ns <= ns)
            return index;
    }
    return MAP_NONE;
}

static void add_window(const struct history *history, struct findings *findings, uint32_t pick,
                       uint32_t attempt) {
    const struct binding *given = &history->bindings.list[pick];
    struct finding *finding = findings_add(findings, FINDING_RACE_WINDOW);
    finding->cause = CAUSE_OTHER_NAMESPACE;
    finding->subject = history_call(history, attempt);
    finding->assigned = history_call(history, pick);
    finding->endpoint = finding->subject.endpoint;
    finding->netns = history->bindings.list[attempt].netns;
    finding->ns = finding->subject.begin_ns;
    finding->certainty =
        certainty_if(ancestry_is_related(history->machine, given->process,
                                         history->bindings.list[attempt].process) &&
                     given->certainty == CERTAIN);
}

static void look_at(struct picking *picking, uint32_t index) {
    const struct history *history = picking->history;
    struct request *request = &picking->history->requests[index];
    if (!proofs_is_attempt(history, index) || request->proves != MAP_NONE ||
        request->picked != MAP_NONE || request->repeats != MAP_NONE)
        return;
    uint32_t pick = find_pick(picking, index);
    if (pick == MAP_NONE)
        return;
    if (history->bindings.list[index].from_ns == 0)
        request->picked = pick; /* reported as an address in use */
    else
        add_window(history, picking->findings, pick, index);
}

static void look_at_port(struct picking *picking, unsigned port) {
    const struct history *history = picking->history;
    for (uint32_t i = history->first_of_port[port]; i < history->first_of_port[port + 1]; i++) {
        uint32_t index = history->by_port[i];
        const struct binding *binding = &history->bindings.list[index];
        look_at(picking, index);
        if (proofs_is_assignment(history, index))
            relatives_note(&picking->picks, binding->process, i);
        if (binding->requested_port == port)
            relatives_note(&picking->named, binding->process, i);
    }
    relatives_clear(&picking->picks);
    relatives_clear(&picking->named);
}

static bool has_namespaces(const struct history *history) {
    uint64_t first = 0;
    for (size_t i = 0; i < history->bindings.count; i++) {
        uint64_t netns = history->bindings.list[i].netns;
        if (first != 0 && netns != 0 && netns != first)
            return true;
        first = netns != 0 ? netns : first;
    }
    return false;
}

void detect_other_namespaces(struct history *history, struct findings *findings) {
    struct picking picking = {.history = history,
                              .findings = findings,
                              .picks = {.machine = history->machine},
                              .named = {.machine = history->machine, .only_first = true}};
    if (!has_namespaces(history))
        return;
    for (unsigned port = 1; port < SELECTION_PORTS; port++)
        look_at_port(&picking, port);
    relatives_free(&picking.picks);
    relatives_free(&picking.named);
}
