/* "Address already in use" says nothing of what to change. That depends on who has the port and
 * how, and on how the one that was refused came to ask for this number. */
#include "harness/check/refusal_cause.h"

#include <netinet/in.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/check/ancestry.h"
#include "harness/check/held.h"

/* The start of a process is known by the tick (USER_HZ). */
#define TICK_NS UINT64_C(10000000)
/* Who counts up from a number does it at once. */
#define NEIGHBOUR_NS UINT64_C(10000000000)
/* Whoever looks whether a port is free does not keep it longer than this. */
#define PROBE_NS UINT64_C(500000000)

struct refusal {
    const struct history *history;
    uint32_t asker;
    const struct holder_found *holder;
    struct finding *finding;
};

static const struct binding *binding_of(const struct refusal *refusal, uint32_t index) {
    return &refusal->history->bindings.list[index];
}

static const struct request *request_of(const struct refusal *refusal, uint32_t index) {
    return &refusal->history->requests[index];
}

/* Does its number come from a request for port 0? */
static bool is_from_port_zero(const struct refusal *refusal, uint32_t index) {
    return binding_of(refusal, index)->requested_port == 0 ||
           request_of(refusal, index)->proves != MAP_NONE;
}

/* Had the process that was refused, `index` at that time? */
static bool is_own(const struct refusal *refusal, uint32_t index) {
    const struct binding *binding = binding_of(refusal, index);
    const struct binding *asked = binding_of(refusal, refusal->asker);
    const struct request *request = request_of(refusal, index);
    return index != refusal->asker && binding->from_ns != 0 &&
           request->end_ns <= refusal->finding->subject.begin_ns &&
           (request->kind == PW_KIND_BIND || request->kind == PW_KIND_LISTEN) &&
           request->cookie != request_of(refusal, refusal->asker)->cookie &&
           ancestry_is_same(refusal->history->machine, binding->process, asked->process);
}

/* The latest of the port that is the process's own, came from port 0 and is younger than `ns`;
 * MAP_NONE: there is none. */
static uint32_t find_own(const struct refusal *refusal, unsigned port, uint64_t ns) {
    const struct history *history = refusal->history;
    uint64_t begin_ns = refusal->finding->subject.begin_ns;
    for (uint32_t i = history_end_of_port(history, port, begin_ns);
         i-- > history->first_of_port[port];) {
        uint32_t index = history->by_port[i];
        if (binding_of(refusal, index)->begin_ns < ns)
            break;
        if (is_own(refusal, index) && is_from_port_zero(refusal, index))
            return index;
    }
    return MAP_NONE;
}

/* ... that it has still. */
static uint32_t find_held(const struct refusal *refusal) {
    const struct history *history = refusal->history;
    unsigned port = refusal->finding->endpoint.port;
    uint64_t begin_ns = refusal->finding->subject.begin_ns;
    uint32_t first = history->first_of_port[port];
    uint32_t i = history_end_of_port(history, port, begin_ns);
    while (i > first && (i = history_lasting(history, i - 1, begin_ns)) != MAP_NONE) {
        uint32_t index = history->by_port[i];
        if (is_own(refusal, index) && is_from_port_zero(refusal, index) &&
            held_released(history, index, begin_ns) == RELEASE_NOT_SEEN)
            return index;
    }
    return MAP_NONE;
}

/* The process has the number, by port 0, where it does not stand in its own way. */
static bool is_held_pair(const struct refusal *refusal) {
    uint32_t pair = find_held(refusal);
    if (pair == MAP_NONE || pair == refusal->holder->binding)
        return false;
    refusal->finding->assigned = history_call(refusal->history, pair);
    return true;
}

/* It had just asked for the number beside it, which came from port 0. */
static bool is_neighbour(const struct refusal *refusal) {
    uint64_t begin_ns = refusal->finding->subject.begin_ns;
    for (unsigned i = 0; i < SELECTION_DISTANCES; i++) {
        int port = refusal->finding->endpoint.port - selection_distances[i];
        if (port <= 0 || port >= SELECTION_PORTS)
            continue;
        uint32_t base = find_own(refusal, (unsigned)port,
                                 begin_ns > NEIGHBOUR_NS ? begin_ns - NEIGHBOUR_NS : 0);
        if (base == MAP_NONE)
            continue;
        refusal->finding->assigned = history_call(refusal->history, base);
        return true;
    }
    return false;
}

static bool covers_other_family(const struct endpoint *wide, const struct endpoint *other) {
    static const uint8_t any[16];
    return wide->family == AF_INET6 && !wide->v6only && memcmp(wide->address, any, 16) == 0 &&
           other->family == AF_INET;
}

static bool is_dual_stack(const struct finding *finding) {
    const struct endpoint *one = &finding->endpoint;
    const struct endpoint *other = &finding->other.endpoint;
    return finding->other.process != 0 &&
           (covers_other_family(one, other) || covers_other_family(other, one));
}

/* Both found the number in the environment, and the one above, or what is above both, gave it. */
static bool is_inherited_number(const struct refusal *refusal) {
    uint32_t holder = refusal->holder->binding;
    const struct machine *machine = refusal->history->machine;
    const uint64_t both =
        request_of(refusal, refusal->asker)->flags & request_of(refusal, holder)->flags;
    uint64_t asker = binding_of(refusal, refusal->asker)->process;
    uint64_t other = binding_of(refusal, holder)->process;
    return (both & PW_FLAG_IN_ENVIRONMENT) != 0 && (ancestry_is_related(machine, asker, other) ||
                                                    ancestry_is_sibling(machine, asker, other));
}

/* The one that was refused was told the number by the holder, which has it from port 0 and keeps
 * its socket open. */
static bool is_picked_there(const struct refusal *refusal) {
    const uint64_t told = PW_FLAG_IN_ARGUMENTS | PW_FLAG_IN_ENVIRONMENT;
    uint32_t holder = refusal->holder->binding;
    const struct machine *machine = refusal->history->machine;
    uint64_t asker = binding_of(refusal, refusal->asker)->process;
    uint64_t other = binding_of(refusal, holder)->process;
    refusal->finding->from_holder =
        binding_of(refusal, holder)->requested_port == 0 &&
        request_of(refusal, holder)->read_ns != 0 &&
        (ancestry_is_above(machine, other, asker) ||
         ((request_of(refusal, refusal->asker)->flags & told) != 0 &&
          ancestry_is_sibling(machine, other, asker) &&
          ancestry_program_began_ns(machine, asker) >= request_of(refusal, holder)->read_ns));
    return refusal->finding->from_holder;
}

/* TCP alone listens, so over UDP it says nothing that nobody did. */
static enum finding_cause cause_of_silent_holder(const struct refusal *refusal) {
    uint32_t holder = refusal->holder->binding;
    const struct binding *binding = binding_of(refusal, holder);
    const struct request *request = request_of(refusal, holder);
    uint64_t begin_ns = refusal->finding->subject.begin_ns;
    if (binding->requested_port != 0 && request->listen_ns == 0 &&
        !history_is_udp(refusal->history, holder) && binding->to_ns != 0 &&
        binding->to_ns - binding->from_ns <= PROBE_NS)
        return CAUSE_SHORT_PROBE;
    if (history_is_udp(refusal->history, holder) || is_picked_there(refusal) ||
        (request->listen_ns != 0 && request->listen_ns <= begin_ns))
        return CAUSE_FIXED_NUMBER;
    return CAUSE_BOUND_NOT_LISTENING;
}

static void name_variable(const struct refusal *refusal) {
    const struct history *history = refusal->history;
    uint32_t index = map_get(&history->source_of_unit, binding_of(refusal, refusal->asker)->unit);
    if (index == MAP_NONE || refusal->finding->variable != NULL)
        return;
    const char *variable = history->sources[index].variable;
    refusal->finding->variable = memory_copy(variable, strlen(variable));
}

/* Where the number came to both by the environment, that a child has the socket as well is by the
 * way: who bound it is the holder. */
static enum finding_cause cause_of_own_descriptor(const struct refusal *refusal) {
    struct finding *finding = refusal->finding;
    if (finding->binder_ended_ns != 0 || !is_inherited_number(refusal))
        return CAUSE_OWN_DESCRIPTOR;
    finding->how = HOW_BOUND;
    finding->held_by = 0;
    finding->held_since_ns = finding->other.end_ns;
    name_variable(refusal);
    return CAUSE_INHERITED_NUMBER;
}

/* What the process has itself stands in its way. */
static enum finding_cause cause_of_own(const struct refusal *refusal) {
    const struct finding *finding = refusal->finding;
    const struct machine *machine = refusal->history->machine;
    uint64_t asker = finding->subject.process;
    bool got = finding->how == HOW_INHERITED || finding->how == HOW_PASSED;
    if (finding->holder != HOLDER_TRACE)
        return CAUSE_NONE;
    if (got && ancestry_is_same(machine, finding->held_by, asker))
        return cause_of_own_descriptor(refusal);
    if (finding->how != HOW_BOUND || !ancestry_is_same(machine, finding->other.process, asker))
        return CAUSE_NONE;
    return is_dual_stack(finding) ? CAUSE_DUAL_STACK : CAUSE_SAME_PROCESS;
}

/* Was it there before the run? */
static enum finding_cause cause_of_outside(const struct refusal *refusal) {
    const struct finding *finding = refusal->finding;
    const struct check *check = refusal->history->machine->check;
    uint64_t began = check->traces[finding->subject.trace].header.monotonic_ns;
    bool is_older = finding->table.pid != 0 && finding->table.start_time + TICK_NS < began;
    return is_older ? CAUSE_LEFTOVER_PROCESS : CAUSE_OUTSIDE_PROCESS;
}

static enum finding_cause cause_of_recorded(const struct refusal *refusal) {
    const struct finding *finding = refusal->finding;
    switch (finding->how) {
    case HOW_INHERITED:
        return CAUSE_INHERITED_DESCRIPTOR;
    case HOW_PASSED:
        return CAUSE_PASSED_DESCRIPTOR;
    case HOW_ACCEPTED:
        return CAUSE_ACCEPTED_CONNECTION;
    case HOW_CONNECTION:
        return call_is_self_connect(&finding->other) ? CAUSE_SELF_CONNECT
                                                     : CAUSE_CONNECTION_SOURCE_PORT;
    default:
        break;
    }
    if (is_inherited_number(refusal)) {
        name_variable(refusal);
        return CAUSE_INHERITED_NUMBER;
    }
    if (is_dual_stack(finding))
        return CAUSE_DUAL_STACK;
    if (finding->table.pid != 0)
        return cause_of_outside(refusal);
    return cause_of_silent_holder(refusal);
}

/* SO_REUSEADDR passes over the connections that a listener with it had accepted, not over those of
 * a client that was given its port (inet_csk_bind_conflict). */
static enum finding_cause cause_of_time_wait(const struct refusal *refusal) {
    const struct call *other = &refusal->finding->other;
    if (other->process == 0 || other->kind != PW_KIND_CONNECT)
        return CAUSE_TIME_WAIT;
    return call_is_self_connect(other) ? CAUSE_SELF_CONNECT : CAUSE_CONNECTION_SOURCE_PORT;
}

static enum finding_cause cause_of_holder(const struct refusal *refusal) {
    switch (refusal->finding->holder) {
    case HOLDER_TRACE:
        return cause_of_recorded(refusal);
    case HOLDER_TABLE:
        return refusal->finding->how == HOW_INHERITED ? CAUSE_INHERITED_DESCRIPTOR
                                                      : cause_of_outside(refusal);
    case HOLDER_TIME_WAIT:
        return cause_of_time_wait(refusal);
    default:
        return CAUSE_HOLDER_NOT_SEEN;
    }
}

bool refusal_cause_is_pair(const struct history *history, uint32_t asker,
                           const struct holder_found *holder, struct finding *finding) {
    const struct refusal refusal = {history, asker, holder, finding};
    return is_held_pair(&refusal);
}

void refusal_cause_set(const struct history *history, uint32_t asker,
                       const struct holder_found *holder, struct finding *finding) {
    const struct refusal refusal = {history, asker, holder, finding};
    finding->cause = cause_of_own(&refusal);
    if (finding->cause == CAUSE_NONE && is_held_pair(&refusal))
        finding->cause = CAUSE_HELD_PAIR;
    if (finding->cause == CAUSE_NONE && is_neighbour(&refusal))
        finding->cause = CAUSE_NEIGHBOUR;
    if (finding->cause == CAUSE_NONE)
        finding->cause = cause_of_holder(&refusal);
}
