/* A number is good in the network namespace that gave it, and says nothing of any other: a daemon
 * that picks in its own and binds in a container's is as well off with a number that it made up. */
#include <errno.h>

#include "harness/check/ancestry.h"
#include "harness/check/detectors/detectors.h"
#include "harness/check/held.h"
#include "harness/check/proofs.h"

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

/* Had the binder, or who made it, bound the number before the pick? Then it means another thing. */
static bool was_named_before(const struct history *history, uint32_t attempt, uint64_t ns) {
    const struct machine *machine = history->machine;
    unsigned port = history->bindings.list[attempt].requested_port;
    uint64_t binder = history->bindings.list[attempt].process;
    for (uint32_t i = history->first_of_port[port]; i < history->first_of_port[port + 1]; i++) {
        const struct binding *binding = &history->bindings.list[history->by_port[i]];
        if (binding->begin_ns >= ns)
            return false;
        if (binding->requested_port == port &&
            ancestry_is_related(machine, binding->process, binder))
            return true;
    }
    return false;
}

/* The latest that fits; MAP_NONE: there is none. */
static uint32_t find_pick(const struct history *history, uint32_t attempt) {
    const struct binding *bound = &history->bindings.list[attempt];
    unsigned port = bound->requested_port;
    for (uint32_t i = history_end_of_port(history, port, bound->begin_ns);
         i-- > history->first_of_port[port];) {
        uint32_t index = history->by_port[i];
        const struct request *request = &history->requests[index];
        if (proofs_is_assignment(history, index) && request->read_ns <= bound->begin_ns &&
            is_other_namespace(history, index, attempt) && may_know(history, index, attempt) &&
            !was_named_before(history, attempt, history->bindings.list[index].begin_ns))
            return index;
    }
    return MAP_NONE;
}

static void add_window(const struct history *history, struct findings *findings, uint32_t pick,
                       uint32_t attempt) {
    const struct binding *given = &history->bindings.list[pick];
    struct finding *finding = findings_add(findings, FINDING_RACE_WINDOW);
    finding->cause = CAUSE_OTHER_NAMESPACE;
    finding->elsewhere = true;
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

void detect_other_namespaces(struct history *history, struct findings *findings) {
    for (uint32_t i = 0; i < history->bindings.count; i++) {
        struct request *request = &history->requests[i];
        if (!proofs_is_attempt(history, i) || request->proves != MAP_NONE ||
            request->picked != MAP_NONE || request->repeats != MAP_NONE)
            continue;
        uint32_t pick = find_pick(history, i);
        if (pick == MAP_NONE)
            continue;
        if (history->bindings.list[i].from_ns == 0)
            request->picked = pick; /* reported as an address in use */
        else
            add_window(history, findings, pick, i);
    }
}
