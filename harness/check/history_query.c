/* What a history says of a binding, and of two that may stand in each other's way. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/check/history.h"

unsigned history_protocol(unsigned type, unsigned protocol) {
    if (protocol != 0 && protocol != IPPROTO_MPTCP)
        return protocol;
    return type == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
}

struct endpoint history_record_endpoint(const struct trace_record *record, bool assigned) {
    const struct pw_socket *socket = record->socket;
    struct endpoint endpoint = {
        .scope = socket->scope,
        .port = assigned ? socket->assigned_port : socket->requested_port,
        .family = socket->family,
        .protocol = (uint8_t)history_protocol(socket->type, socket->protocol),
        .v6only = (record->flags & PW_FLAG_V6ONLY) != 0,
    };
    memcpy(endpoint.address, assigned ? socket->assigned : socket->requested, 16);
    return endpoint;
}

struct endpoint history_record_peer(const struct trace_record *record) {
    struct endpoint peer = history_record_endpoint(record, true);
    peer.port = record->peer->port;
    peer.scope = record->peer->scope;
    memcpy(peer.address, record->peer->address, 16);
    return peer;
}

uint64_t history_torn_before(const struct history *history, uint64_t ns) {
    size_t low = 0;
    size_t high = history->torn_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (history->torn[middle] < ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? history->torn[low - 1] : 0;
}

struct endpoint history_endpoint(const struct history *history, uint32_t index) {
    const struct binding *binding = &history->bindings.list[index];
    const struct request *request = &history->requests[index];
    struct endpoint endpoint = {
        .scope = binding->scope,
        .port = binding->port != 0 ? binding->port : binding->requested_port,
        .family = binding->family,
        .protocol = (uint8_t)history_protocol(binding->type, binding->protocol),
        .v6only = (request->flags & PW_FLAG_V6ONLY) != 0,
    };
    memcpy(endpoint.address, binding->address, sizeof endpoint.address);
    return endpoint;
}

bool history_is_udp(const struct history *history, uint32_t binding) {
    return history_endpoint(history, binding).protocol == IPPROTO_UDP;
}

struct call history_call(const struct history *history, uint32_t index) {
    const struct binding *binding = &history->bindings.list[index];
    const struct request *request = &history->requests[index];
    return (struct call){.trace = MACHINE_TRACE(binding->unit),
                         .unit = MACHINE_LOCAL(binding->unit),
                         .process = binding->process,
                         .begin_ns = binding->begin_ns,
                         .end_ns = request->end_ns,
                         .site = request->site,
                         .place = request->place,
                         .cookie = request->cookie,
                         .endpoint = history_endpoint(history, index),
                         .peer = request->peer,
                         .requested_port = binding->requested_port,
                         .error = binding->error,
                         .reuse_address = (request->flags & PW_FLAG_REUSEADDR) != 0,
                         .was_kept = (request->flags & PW_FLAG_POLICY_KEPT) != 0,
                         .is_inferred = (request->flags & PW_FLAG_ERROR_INFERRED) != 0,
                         .call = binding->call,
                         .kind = request->kind};
}

bool history_same_namespace(uint64_t one, uint64_t other) {
    return one == other || one == 0 || other == 0;
}

static bool devices_overlap(uint32_t one, uint32_t other) {
    return one == 0 || other == 0 || one == other;
}

bool history_may_share(const struct history *history, uint32_t newcomer, uint32_t holder,
                       uint64_t ns, bool listening) {
    const struct request *n = &history->requests[newcomer];
    const struct request *h = &history->requests[holder];
    const struct endpoint one = history_endpoint(history, newcomer);
    const struct endpoint other = history_endpoint(history, holder);
    if (!endpoints_overlap(&one, &other) || !devices_overlap(n->device, h->device) ||
        !history_same_namespace(history->bindings.list[newcomer].netns,
                                history->bindings.list[holder].netns))
        return true;
    bool stream = one.protocol != IPPROTO_UDP;
    if (stream && !listening && history->bindings.list[newcomer].requested_port == 0)
        return false; /* a TCP bind to port 0 passes over every port that is in use */
    const uint64_t both = n->flags & h->flags;
    if ((both & PW_FLAG_REUSEPORT) != 0 &&
        (n->uid == h->uid || n->uid == UINT32_MAX || h->uid == UINT32_MAX))
        return true;
    if ((both & PW_FLAG_REUSEADDR) == 0)
        return false;
    return !stream || h->listen_ns == 0 || h->listen_ns > ns;
}

uint32_t history_end_of_port(const struct history *history, unsigned port, uint64_t ns) {
    uint32_t low = history->first_of_port[port];
    uint32_t high = history->first_of_port[port + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (history->bindings.list[history->by_port[middle]].begin_ns <= ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t history_end_ns(const struct history *history, uint32_t place) {
    const struct binding *binding = &history->bindings.list[history->by_port[place]];
    if (binding->from_ns == 0)
        return 0;
    return binding->to_ns != 0 ? binding->to_ns : UINT64_MAX;
}

uint32_t history_lasting(const struct history *history, uint32_t place, uint64_t ns) {
    while (place != MAP_NONE && history_end_ns(history, place) < ns)
        place = history->outlived_by[place];
    return place;
}

bool history_is_in_range(const struct history *history, uint64_t netns, unsigned port) {
    for (unsigned i = 0; i < history->range_count; i++)
        if (history->ranges[i].netns == netns)
            return port >= history->ranges[i].low && port <= history->ranges[i].high;
    return false;
}
