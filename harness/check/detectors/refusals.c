/* The commonest problem is not a race: a fixed number, and somebody who has it still. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "harness/check/ancestry.h"
#include "harness/check/detectors/detectors.h"
#include "harness/check/holders.h"
#include "harness/check/proofs.h"
#include "harness/check/refusal_cause.h"
#include "harness/check/relatives.h"

static struct finding *add_refused(const struct history *history, struct findings *findings,
                                   enum finding_kind kind, const struct call *subject,
                                   uint64_t netns, const struct holder_found *holder) {
    struct finding *finding = findings_add(findings, kind);
    finding->subject = *subject;
    finding->endpoint = subject->endpoint;
    finding->netns = netns;
    finding->ns = subject->begin_ns;
    holders_fill_in(history, holder, finding);
    if (subject->is_inferred && finding->holder != HOLDER_TRACE)
        finding->certainty = POSSIBLE;
    return finding;
}

/* While the refusals of one port are gone through. */
struct refusing {
    const struct history *history;
    struct findings *findings;
    struct relatives connected; /* all connections to it */
};

static bool is_to_holder(const struct history *history, const struct finding *finding,
                         const struct connection *connection, uint32_t holder) {
    const struct call *call = &connection->call;
    return ancestry_is_related(history->machine, call->process, finding->subject.process) &&
           !ancestry_is_related(history->machine, call->process, finding->other.process) &&
           !endpoints_overlap(&call->endpoint, &finding->instead.endpoint) &&
           connection_is_answered_by(history, connection, holder);
}

/* It was refused one address, took the same number on another, and then its own connection, meant
 * for itself, went to who had the first. */
static bool met_holder(struct refusing *refusing, const struct finding *finding, uint32_t holder) {
    const struct history *history = refusing->history;
    uint32_t i;
    if (finding->instead.process == 0 || finding->instead.endpoint.port != finding->endpoint.port ||
        holder == MAP_NONE)
        return false;
    relatives_seek_related(&refusing->connected, finding->subject.process);
    while ((i = relatives_next(&refusing->connected)) != MAP_NONE) {
        const struct connection *connection = &history->connections[i];
        if (connection->call.begin_ns < finding->instead.end_ns)
            return false;
        if (is_to_holder(history, finding, connection, holder))
            return true;
    }
    return false;
}

static bool is_started_alike(const struct history *history, uint64_t one, uint64_t other) {
    const struct machine *machine = history->machine;
    const struct process *a = machine_process(machine, one);
    const struct process *b = machine_process(machine, other);
    if (a == NULL || b == NULL || MACHINE_TRACE(one) != MACHINE_TRACE(other))
        return false;
    const struct processes *processes = &machine->check->traces[MACHINE_TRACE(one)].processes;
    const char *command = process_command(processes, a);
    const char *other_command = process_command(processes, b);
    return command != NULL && other_command != NULL && strcmp(command, other_command) == 0 &&
           ancestry_parent(machine, one) == ancestry_parent(machine, other);
}

/* until server 8080; do sleep 1; done */
static bool was_started_again(const struct history *history, uint32_t attempt) {
    const struct binding *bound = &history->bindings.list[attempt];
    const struct endpoint endpoint = history_endpoint(history, attempt);
    uint32_t end = history->first_of_port[bound->requested_port + 1];
    enum { LOOKED_AT = 64 };
    uint32_t i = history_end_of_port(history, bound->requested_port, bound->begin_ns);
    for (uint32_t seen = 0; i < end && seen < LOOKED_AT; i++, seen++) {
        const struct endpoint other = history_endpoint(history, history->by_port[i]);
        const struct binding *binding = &history->bindings.list[history->by_port[i]];
        if (binding->from_ns != 0 && endpoints_equal(&endpoint, &other) &&
            !ancestry_is_same(history->machine, binding->process, bound->process) &&
            is_started_alike(history, binding->process, bound->process))
            return true;
    }
    return false;
}

static void detect_bind(struct refusing *refusing, uint32_t attempt) {
    const struct history *history = refusing->history;
    const struct binding *bound = &history->bindings.list[attempt];
    const struct request *request = &history->requests[attempt];
    const struct call subject = history_call(history, attempt);
    const struct holder_found holder =
        holders_find(history, attempt, bound->unit, bound->begin_ns, request->end_ns, false);
    struct finding *finding = add_refused(history, refusing->findings, FINDING_ADDRESS_IN_USE,
                                          &subject, bound->netns, &holder);
    finding->instead = request->instead;
    finding->times = 1 + request->times;
    finding->is_step = request->is_step;
    finding->started_again = was_started_again(history, attempt);
    bool is_pair =
        request->picked != MAP_NONE && refusal_cause_is_pair(history, attempt, &holder, finding);
    if (is_pair) {
        finding->cause = CAUSE_HELD_PAIR;
        return;
    }
    if (request->picked == MAP_NONE) {
        refusal_cause_set(history, attempt, &holder, finding);
        if (finding->assigned.process == 0 && request->probed != MAP_NONE)
            probes_fill_in(history, request->probed, finding);
        if (met_holder(refusing, finding, holder.binding))
            finding->cause = CAUSE_OTHER_FAMILY;
        return;
    }
    finding->assigned = history_call(history, request->picked);
    finding->cause =
        history_same_namespace(history->bindings.list[request->picked].netns, bound->netns)
            ? CAUSE_PICKED_ELSEWHERE
            : CAUSE_OTHER_NAMESPACE;
}

/* Both set SO_REUSEADDR and so both were bound, and one listens. */
static bool is_trap(const struct history *history, const struct failed_listen *listen,
                    const struct holder_found *holder) {
    if (listen->binding == MAP_NONE || holder->binding == MAP_NONE)
        return false;
    return (history->requests[listen->binding].flags & history->requests[holder->binding].flags &
            PW_FLAG_REUSEADDR) != 0;
}

static void detect_listen(const struct history *history, struct findings *findings,
                          const struct failed_listen *listen) {
    struct holder_found holder = {.source = HOLDER_NOBODY, .binding = MAP_NONE};
    uint64_t unit = (uint64_t)listen->call.trace << MACHINE_TAG_SHIFT | listen->call.unit;
    if (listen->binding != MAP_NONE) {
        if (history->requests[listen->binding].proves != MAP_NONE)
            return; /* reported as a lost race */
        holder = holders_find(history, listen->binding, unit, listen->call.begin_ns,
                              listen->call.end_ns, true);
    }
    enum finding_kind kind =
        is_trap(history, listen, &holder) ? FINDING_REUSE_TRAP : FINDING_ADDRESS_IN_USE;
    struct finding *finding =
        add_refused(history, findings, kind, &listen->call, listen->netns, &holder);
    finding->instead = listen->instead;
    if (kind == FINDING_ADDRESS_IN_USE && listen->binding != MAP_NONE)
        refusal_cause_set(history, listen->binding, &holder, finding);
    else if (kind == FINDING_ADDRESS_IN_USE)
        finding->cause = CAUSE_HOLDER_NOT_SEEN;
}

static void detect_binds(struct refusing *refusing, unsigned port) {
    const struct history *history = refusing->history;
    for (uint32_t i = history->first_of_port[port]; i < history->first_of_port[port + 1]; i++) {
        uint32_t index = history->by_port[i];
        const struct request *request = &history->requests[index];
        if (proofs_is_attempt(history, index) && history->bindings.list[index].from_ns == 0 &&
            request->proves == MAP_NONE && request->repeats == MAP_NONE && !request->is_told)
            detect_bind(refusing, index);
    }
}

void detect_refusals(struct history *history, struct findings *findings) {
    struct refusing refusing = {
        .history = history, .findings = findings, .connected = {.machine = history->machine}};
    for (unsigned port = 1; port < SELECTION_PORTS; port++) {
        relatives_note_connections(&refusing.connected, history, port);
        detect_binds(&refusing, port);
        relatives_clear(&refusing.connected);
    }
    relatives_free(&refusing.connected);
    for (size_t i = 0; i < history->failed_listen_count; i++)
        detect_listen(history, findings, &history->failed_listens[i]);
}
