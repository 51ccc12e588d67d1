/* portfinder, detect-port and many others count up from a fixed number, bind each to see whether it
 * is free, close it, and hand the number on: a claim by number. A server that is restarted makes
 * the same calls, so of what went well only the narrowest case is reported. */
#include <string.h>

#include "harness/check/ancestry.h"
#include "harness/check/detectors/detectors.h"
#include "harness/check/held.h"
#include "harness/check/holders.h"
#include "harness/check/proofs.h"
#include "harness/check/recovery.h"
#include "harness/check/relatives.h"
#include "harness/trace/record_frames.h"

/* Whoever only looks whether a number is free does not keep it longer. */
#define PROBE_NS UINT64_C(5000000000)

static const struct binding *binding_of(const struct history *history, uint32_t index) {
    return &history->bindings.list[index];
}

/* While the binds of one port are gone through in the order of time. */
struct probing {
    struct history *history;
    struct findings *findings;
    struct relatives before; /* binds by number that went well, by their places in by_port */
};

static bool may_be_probe(const struct history *history, uint32_t index) {
    const struct binding *binding = binding_of(history, index);
    return binding->from_ns != 0 && binding->requested_port != 0 &&
           history->requests[index].kind == PW_KIND_BIND;
}

/* Is this one, of the family's own, on the endpoint that `attempt` asked for? */
static bool is_before(const struct history *history, uint32_t index, uint32_t attempt) {
    const struct binding *binding = binding_of(history, index);
    const struct binding *bound = binding_of(history, attempt);
    const struct endpoint one = history_endpoint(history, index);
    const struct endpoint other = history_endpoint(history, attempt);
    return binding->netns == bound->netns && endpoints_overlap(&one, &other) &&
           ancestry_is_related(history->machine, binding->process, bound->process);
}

/* The latest, MAP_NONE if there is none; *count is how many there are, up to 2. */
static uint32_t find_before(struct probing *probing, uint32_t attempt, unsigned *count) {
    const struct history *history = probing->history;
    uint32_t found = MAP_NONE;
    uint32_t place;
    *count = 0;
    relatives_seek_related(&probing->before, binding_of(history, attempt)->process);
    while (*count < 2 && (place = relatives_next(&probing->before)) != MAP_NONE) {
        uint32_t index = history->by_port[place];
        if (!is_before(history, index, attempt))
            continue;
        found = found == MAP_NONE ? index : found;
        ++*count;
    }
    return found;
}

void probes_fill_in(const struct history *history, uint32_t probe, struct finding *finding) {
    const struct binding *probed = binding_of(history, probe);
    finding->assigned = history_call(history, probe);
    finding->released_from_ns = probed->from_ns;
    finding->released_to_ns = probed->to_ns;
    finding->release_inferred = probed->end_known_by == END_INFERRED;
}

static struct finding *add(const struct history *history, struct findings *findings,
                           enum finding_kind kind, uint32_t probe, uint32_t attempt) {
    struct finding *finding = findings_add(findings, kind);
    finding->cause = CAUSE_PROBED_BY_NUMBER;
    finding->subject = history_call(history, attempt);
    finding->endpoint = finding->subject.endpoint;
    finding->netns = binding_of(history, probe)->netns;
    finding->ns = finding->subject.begin_ns;
    finding->times = 1 + history->requests[attempt].times;
    probes_fill_in(history, probe, finding);
    return finding;
}

static void detect_loss(struct probing *probing, uint32_t attempt) {
    struct history *history = probing->history;
    const struct binding *bound = binding_of(history, attempt);
    struct request *request = &history->requests[attempt];
    unsigned count;
    uint32_t probe = find_before(probing, attempt, &count);
    if (probe == MAP_NONE || held_released(history, probe, bound->begin_ns) == RELEASE_NOT_SEEN ||
        binding_of(history, probe)->to_ns == 0)
        return;
    request->probed = probe;
    const struct holder_found taker =
        holders_find(history, attempt, bound->unit, bound->begin_ns, request->end_ns, false);
    if (taker.source != HOLDER_TRACE || taker.binding == probe)
        return;
    /* Who had it all the time took nothing, nor did a related process that was told the number. */
    const struct binding *taken = binding_of(history, taker.binding);
    uint64_t released_ns = binding_of(history, probe)->to_ns;
    bool was_told = taken->requested_port != 0 &&
                    ancestry_is_related(history->machine, taken->process, bound->process);
    if (was_told || history->requests[taker.binding].end_ns < released_ns ||
        ancestry_is_same(history->machine, taken->process, bound->process))
        return;
    struct finding *finding = add(history, probing->findings, FINDING_LOST_RACE, probe, attempt);
    holders_fill_in(history, &taker, finding);
    finding->instead = request->instead;
    if (finding->how == HOW_CONNECTION && call_is_self_connect(&finding->other))
        finding->cause = CAUSE_SELF_CONNECT;
    if (held_released(history, probe, bound->begin_ns) != RELEASE_CERTAIN ||
        taken->begin_ns < released_ns || taker.certainty == POSSIBLE)
        finding->certainty = POSSIBLE;
    request->is_told = true;
}

/* In an interpreter all binds are made from one place, whatever the program's lines. */
static bool is_interpreted(const struct history *history, uint64_t serial) {
    static const char *const names[] = {"python", "node", "java", "perl", "ruby",
                                        "deno",   "bun",  "php",  "lua",  "beam"};
    const struct process *process = machine_process(history->machine, serial);
    for (size_t i = 0; process != NULL && i < sizeof names / sizeof *names; i++)
        if (strncmp(process->comm, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* Nobody sees who receives over UDP: only what was closed at once has received nothing. */
#define UDP_PROBE_NS UINT64_C(10000000)

/* Did the socket do anything but show that its number is free? */
static bool was_used(const struct history *history, uint32_t probe) {
    const struct binding *binding = binding_of(history, probe);
    if (binding->first_accepted != MAP_NONE || binding->socket == MAP_NONE)
        return true;
    const struct socket_state *socket = &history->bindings.sockets.list[binding->socket];
    uint64_t longest_ns = history_is_udp(history, probe) ? UDP_PROBE_NS : PROBE_NS;
    return socket->past != MAP_NONE || socket->holders != 0 || socket->in_flight != 0 ||
           binding->to_ns - binding->from_ns > longest_ns;
}

/* Could another process have been given it between release and bind, or did it ask for it? */
static bool was_asked_for(const struct history *history, uint32_t probe, uint32_t attempt) {
    const struct binding *bound = binding_of(history, attempt);
    uint64_t from_ns = binding_of(history, probe)->to_ns;
    unsigned port = bound->requested_port;
    if (history->requests[attempt].asked_ns >= from_ns &&
        history_is_in_range(history, bound->netns, port))
        return true;
    for (uint32_t i = history_end_of_port(history, port, bound->begin_ns);
         i-- > history->first_of_port[port];) {
        const struct binding *other = binding_of(history, history->by_port[i]);
        if (other->begin_ns < from_ns)
            return false;
        if (other->requested_port == port && other->netns == bound->netns &&
            !ancestry_is_related(history->machine, other->process, bound->process))
            return true;
    }
    return false;
}

/* Was the number given anew, by port 0, to a related process since it was released? Then it comes
 * from there, leased as by a server of ports. */
static bool was_given_anew(const struct history *history, uint32_t probe, uint32_t attempt) {
    const struct binding *bound = binding_of(history, attempt);
    uint64_t from_ns = binding_of(history, probe)->begin_ns;
    unsigned port = bound->requested_port;
    for (uint32_t i = history_end_of_port(history, port, bound->begin_ns);
         i-- > history->first_of_port[port];) {
        const struct binding *other = binding_of(history, history->by_port[i]);
        if (other->begin_ns < from_ns)
            return false;
        if (other->requested_port == 0 && other->from_ns != 0 &&
            ancestry_is_related(history->machine, other->process, bound->process))
            return true;
    }
    return false;
}

static void detect_window(struct probing *probing, uint32_t attempt) {
    const struct history *history = probing->history;
    const struct binding *bound = binding_of(history, attempt);
    unsigned count;
    uint32_t probe = find_before(probing, attempt, &count);
    if (probe == MAP_NONE || count != 1 || binding_of(history, probe)->to_ns == 0 ||
        binding_of(history, probe)->to_ns > bound->begin_ns || was_used(history, probe) ||
        !was_asked_for(history, probe, attempt) || was_given_anew(history, probe, attempt))
        return;
    uint64_t probe_place = history->requests[probe].place;
    uint64_t attempt_place = history->requests[attempt].place;
    bool is_unknown =
        probe_place == 0 || attempt_place == 0 ||
        (!place_is_of_frame(attempt_place) && is_interpreted(history, bound->process)) ||
        place_is_of_frame(probe_place) != place_is_of_frame(attempt_place);
    if (!is_unknown && probe_place == attempt_place)
        return;
    struct finding *finding = add(history, probing->findings, FINDING_RACE_WINDOW, probe, attempt);
    if (is_unknown || held_released(history, probe, bound->begin_ns) != RELEASE_CERTAIN)
        finding->certainty = POSSIBLE;
}

static void look_at(struct probing *probing, uint32_t index) {
    const struct history *history = probing->history;
    const struct request *request = &history->requests[index];
    if (!proofs_is_attempt(history, index) || request->proves != MAP_NONE ||
        request->picked != MAP_NONE || request->repeats != MAP_NONE)
        return;
    if (binding_of(history, index)->from_ns == 0)
        detect_loss(probing, index);
    else
        detect_window(probing, index);
}

void detect_probes(struct history *history, struct findings *findings) {
    struct probing probing = {
        .history = history, .findings = findings, .before = {.machine = history->machine}};
    for (unsigned port = 1; port < SELECTION_PORTS; port++) {
        for (uint32_t i = history->first_of_port[port]; i < history->first_of_port[port + 1]; i++) {
            uint32_t index = history->by_port[i];
            look_at(&probing, index);
            if (may_be_probe(history, index))
                relatives_note(&probing.before, binding_of(history, index)->process, i);
        }
        relatives_clear(&probing.before);
    }
    relatives_free(&probing.before);
}
