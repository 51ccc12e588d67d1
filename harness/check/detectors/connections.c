/* A program that keeps a number in a file connects to it later, and takes whoever answers for the
 * server that it meant. */
#include <string.h>

#include "harness/check/ancestry.h"
#include "harness/check/detectors/detectors.h"
#include "harness/check/held.h"
#include "harness/check/proofs.h"

/* The peer's address as a socket bound to it would have it. */
static bool answers(const struct history *history, uint32_t index,
                    const struct connection *connection) {
    const struct binding *binding = &history->bindings.list[index];
    const struct request *request = &history->requests[index];
    struct endpoint endpoint = history_endpoint(history, index);
    struct endpoint peer = connection->call.endpoint;
    static const uint8_t none[16];
    static const uint8_t none_mapped[16] = {[10] = 0xff, [11] = 0xff};
    /* A connect to 0.0.0.0 or :: goes to this host (ip(7)), whatever address it listens on. */
    if (memcmp(peer.address, none, 16) == 0 || memcmp(peer.address, none_mapped, 16) == 0)
        memcpy(peer.address, endpoint.address, 16);
    return endpoints_overlap(&endpoint, &peer) &&
           history_same_namespace(binding->netns, connection->netns) &&
           (request->kind == PW_KIND_BIND || request->kind == PW_KIND_LISTEN);
}

/* A connect that was begun and not waited for shows nothing by itself. But the kernel answers for
 * who listens, whether it accepts or not. */
static bool was_answered(const struct history *history, uint32_t stranger,
                         const struct call *connect) {
    const struct request *request = &history->requests[stranger];
    if (connect->error == 0 || request->accepted_ns >= connect->begin_ns)
        return true;
    return request->listen_ns != 0 && request->listen_ns <= connect->begin_ns &&
           held_released(history, stranger, connect->end_ns) == RELEASE_NOT_SEEN;
}

bool connection_is_answered_by(const struct history *history, const struct connection *connection,
                               uint32_t index) {
    return answers(history, index, connection) && was_answered(history, index, &connection->call);
}

static void detect(const struct history *history, struct findings *findings,
                   const struct connection *connection) {
    const struct call *call = &connection->call;
    const struct machine *machine = history->machine;
    uint32_t stranger = MAP_NONE;
    uint32_t end = history_end_of_port(history, call->endpoint.port, call->begin_ns);
    for (uint32_t i = end; i-- > history->first_of_port[call->endpoint.port];) {
        uint32_t index = history->by_port[i];
        const struct binding *binding = &history->bindings.list[index];
        if (binding->from_ns == 0 || binding->from_ns > call->begin_ns ||
            !answers(history, index, connection))
            continue;
        bool is_related = ancestry_is_related(machine, binding->process, call->process);
        if (stranger == MAP_NONE) {
            if (is_related || !was_answered(history, index, call) ||
                (binding->to_ns != 0 && binding->to_ns <= call->end_ns))
                return;
            stranger = index;
            continue;
        }
        /* A child of whoever gave the number up is no stranger: it may have been told. */
        if (!is_related || !proofs_is_assignment(history, index) ||
            ancestry_is_related(machine, binding->process,
                                history->bindings.list[stranger].process) ||
            held_released(history, index, history->bindings.list[stranger].from_ns) ==
                RELEASE_NOT_SEEN)
            continue;
        struct finding *finding = findings_add(findings, FINDING_STALE_PORT_CONNECT);
        finding->subject = *call;
        finding->endpoint = call->endpoint;
        finding->netns = connection->netns;
        finding->ns = call->begin_ns;
        finding->assigned = history_call(history, index);
        finding->released_from_ns = binding->from_ns;
        finding->released_to_ns = binding->to_ns;
        finding->other = history_call(history, stranger);
        finding->holder = HOLDER_TRACE;
        /* Whether the number was meant, or announced again by the stranger, is not in a trace. */
        finding->certainty = POSSIBLE;
        return;
    }
}

void detect_stale_connections(const struct history *history, struct findings *findings) {
    for (size_t i = 0; i < history->connection_count; i++)
        detect(history, findings, &history->connections[i]);
}
