/* A binding is not a descriptor's life: a port can be free while a descriptor is open, and taken
 * when none is. The rules for both are here, and nowhere else. */
#include "harness/trace/bindings.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/base/memory.h"
#include "harness/base/names.h"
#include "harness/trace/lives.h"

static bool still_connecting(unsigned error) {
    return error == EINPROGRESS || error == EINTR || error == EALREADY || error == EISCONN;
}

static bool is_tcp(unsigned type, unsigned protocol) {
    return type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP);
}

/* Did the call that failed still give a port? A socket is bound before its send or connect is
 * tried: a datagram socket stays bound, a refused TCP connect takes the port away again. */
static bool port_was_given(const struct trace_record *record) {
    if (record->error == 0)
        return true;
    if (record->kind == PW_KIND_CONNECT && still_connecting(record->error))
        return true;
    if (record->kind != PW_KIND_CONNECT && record->kind != PW_KIND_AUTOBIND)
        return false;
    return (record->flags & PW_FLAG_HAS_ASSIGNED) != 0 && record->socket->assigned_port != 0;
}

/* With IP_BIND_ADDRESS_NO_PORT a bind to port 0 asks for an address alone. */
static bool binds_address_alone(const struct trace_record *record) {
    return record->error == 0 && (record->flags & PW_FLAG_BIND_ADDRESS_NO_PORT) != 0 &&
           (record->flags & PW_FLAG_HAS_ASSIGNED) != 0 && record->socket->assigned_port == 0;
}

static bool asks_for_port(const struct trace_record *record) {
    if (!record->committed || record->socket == NULL)
        return false;
    switch (record->kind) {
    case PW_KIND_BIND:
        return !binds_address_alone(record);
    case PW_KIND_LISTEN:
    case PW_KIND_CONNECT:
    case PW_KIND_AUTOBIND:
        return (record->flags & PW_FLAG_PORT_ZERO) != 0;
    default:
        return false;
    }
}

static uint32_t add_binding(struct bindings *bindings, const struct trace_record *record) {
    const struct pw_socket *socket = record->socket;
    uint32_t index = (uint32_t)bindings->count++;
    struct binding *binding;

    bindings->list =
        memory_grow(bindings->list, &bindings->room, bindings->count, sizeof *bindings->list);
    binding = &bindings->list[index];
    *binding = (struct binding){
        .unit = record->unit,
        .process = record->process,
        .netns = socket->netns,
        .begin_ns = record->begin_ns,
        .scope = socket->scope,
        .socket = MAP_NONE,
        .first_accepted = MAP_NONE,
        .protocol = socket->protocol,
        .error = record->error,
        .family = socket->family,
        .type = socket->type,
        .call = record->call,
        .source = record->source,
    };
    if (!(record->flags & PW_FLAG_PORT_ZERO) && record->flags & PW_FLAG_HAS_REQUESTED)
        binding->requested_port = socket->requested_port;
    binding->by_policy = (record->flags & PW_FLAG_POLICY) != 0;
    binding->by_number = binding->requested_port != 0 ||
                         (binding->by_policy && (record->flags & PW_FLAG_POLICY_BY_NUMBER) != 0);
    memcpy(binding->address,
           record->flags & PW_FLAG_HAS_ASSIGNED ? socket->assigned : socket->requested,
           sizeof binding->address);
    if (record->flags & PW_FLAG_HAS_ASSIGNED)
        binding->port = socket->assigned_port;
    if (port_was_given(record)) {
        binding->from_ns = record->end_ns;
        if (is_tcp(socket->type, socket->protocol) && record->kind == PW_KIND_CONNECT &&
            record->error != 0 && !still_connecting(record->error))
            binding->from_ns = record->begin_ns; /* it had the port within the call alone */
        if (binding->port == 0)
            binding->port = binding->requested_port;
        /* The request got its port: what failed is something else. */
        binding->error = 0;
    }
    return index;
}

void bindings_note(struct bindings *bindings, const struct trace_record *record) {
    uint32_t index = MAP_NONE;

    processes_note(&bindings->processes, record);
    if (asks_for_port(record))
        index = add_binding(bindings, record);
    events_note(&bindings->events, record, index);
}

/* The port goes though the socket lives on. A port that was asked for by number is kept. */
static void lose_port(struct bindings *bindings, struct socket_state *socket, uint64_t ns,
                      enum end_known_by how) {
    struct binding *binding;

    if (socket->binding == MAP_NONE)
        return;
    binding = &bindings->list[socket->binding];
    if (binding->by_number)
        return;
    binding->to_ns = ns;
    binding->end_known_by = (uint8_t)how;
    binding->certainty = certainty_worse(binding->certainty, socket->certainty);
    socket->binding = MAP_NONE;
}

static void start_binding(struct bindings *bindings, uint32_t index, uint32_t binding) {
    struct socket_state *socket = &bindings->sockets.list[index];

    bindings->list[binding].socket = index;
    if (bindings->list[binding].netns == 0)
        bindings->list[binding].netns = socket->netns;
    if (bindings->list[binding].from_ns != 0)
        socket->binding = binding;
}

static void apply_connect(struct bindings *bindings, const struct event *event, uint32_t index) {
    struct socket_state *socket = &bindings->sockets.list[index];

    if (!is_tcp(socket->type, socket->protocol))
        return;
    if (event->error == 0 || still_connecting(event->error)) {
        socket->client = true;
        return;
    }
    socket->client = false;
    lose_port(bindings, socket, event->ns, END_CONNECT_FAILED);
}

static void apply_shutdown(struct bindings *bindings, const struct event *event, uint32_t index) {
    struct socket_state *socket = &bindings->sockets.list[index];
    bool listening = socket->listening || event->flags & PW_FLAG_LISTENING;

    if (event->error != 0 || event->value == SHUT_WR || !listening)
        return;
    socket->listening = false;
    if (is_tcp(socket->type, socket->protocol))
        lose_port(bindings, socket, event->ns, END_SHUTDOWN);
}

static void apply_accept(struct bindings *bindings, const struct event *event, uint32_t process,
                         uint32_t index) {
    struct sockets *sockets = &bindings->sockets;
    uint32_t listener;

    if (event->error != 0)
        return;
    sockets_hold(sockets, process, event->descriptor, index, event->ns, GOT_MADE);
    listener = sockets_find(sockets, process, event->other_descriptor, event->other);
    if (listener == index || sockets->list[listener].binding == MAP_NONE ||
        sockets->list[index].accepted)
        return;
    sockets->list[index].accepted = true;
    sockets->list[index].next_accepted =
        bindings->list[sockets->list[listener].binding].first_accepted;
    bindings->list[sockets->list[listener].binding].first_accepted = index;
}

static enum got_by got_by(const struct event *event) {
    if (event->flags & PW_FLAG_INHERITED)
        return GOT_INHERITED;
    return event->flags & PW_FLAG_RECEIVED ? GOT_PASSED : GOT_MADE;
}

static void apply_descriptor(struct bindings *bindings, const struct event *event, uint32_t process,
                             uint32_t index) {
    struct socket_state *socket = &bindings->sockets.list[index];
    const char *call = name_of_call(event->call);

    if (event->error != 0)
        return;
    sockets_hold(&bindings->sockets, process, event->descriptor, index, event->ns, got_by(event));
    /* pidfd_getfd takes a descriptor that nobody sent. */
    if (event->flags & PW_FLAG_RECEIVED && socket->in_flight > 0 &&
        (call == NULL || strcmp(call, "pidfd_getfd") != 0))
        socket->in_flight--;
}

static void apply_close(struct bindings *bindings, const struct event *event, uint32_t process,
                        uint32_t index) {
    bool inferred = (event->flags & PW_FLAG_RELEASE_INFERRED) != 0;

    if (event->error == EBADF)
        return;
    sockets_release(&bindings->sockets, process, event->descriptor, index, event->ns,
                    inferred ? END_INFERRED : END_CLOSED);
}

/* Which socket a record concerns. Without a cookie one that was just made is a new one, and any
 * other is what its descriptor was last. */
static uint32_t socket_of(struct bindings *bindings, const struct event *event, uint32_t process) {
    struct sockets *sockets = &bindings->sockets;
    int descriptor = event->descriptor;
    struct socket_state *socket;
    uint32_t index;

    if (event->kind == PW_KIND_SOCKET || event->kind == PW_KIND_ACCEPT)
        descriptor = -1;
    else if (event->flags & PW_FLAG_DUPLICATED)
        descriptor = event->other_descriptor;
    index = sockets_find(sockets, process, descriptor, event->cookie);
    socket = &sockets->list[index];
    if (event->type != 0) {
        socket->type = event->type;
        socket->protocol = event->protocol;
    }
    if (event->netns != 0)
        socket->netns = event->netns;
    if (event->flags & PW_FLAG_LINGER_ZERO)
        socket->linger_zero = true;
    if (event->flags & PW_FLAG_REUSEADDR)
        socket->reuse_address = true;
    return index;
}

/* A socket has a record of its own only where it got more holders before it was used; otherwise the
 * first of these says who has it. */
static bool records_descriptor(unsigned kind) {
    return kind == PW_KIND_SOCKET || kind == PW_KIND_BIND || kind == PW_KIND_LISTEN ||
           kind == PW_KIND_CONNECT || kind == PW_KIND_AUTOBIND;
}

static void apply_to_socket(struct bindings *bindings, const struct event *event,
                            uint32_t process) {
    uint32_t index = socket_of(bindings, event, process);
    struct socket_state *socket = &bindings->sockets.list[index];

    if (records_descriptor(event->kind) && !(event->flags & PW_FLAG_VFORK_CHILD))
        sockets_hold(&bindings->sockets, process, event->descriptor, index, event->ns, GOT_MADE);
    if (event->binding != MAP_NONE)
        start_binding(bindings, index, event->binding);
    switch (event->kind) {
    case PW_KIND_LISTEN:
        socket->listening = socket->listening || event->error == 0;
        break;
    case PW_KIND_CONNECT:
        apply_connect(bindings, event, index);
        break;
    case PW_KIND_DISCONNECT:
        if (event->error != 0)
            break;
        socket->client = false;
        socket->listening = false;
        lose_port(bindings, socket, event->ns, END_DISCONNECT);
        break;
    case PW_KIND_ACCEPT:
        apply_accept(bindings, event, process, index);
        break;
    case PW_KIND_DESCRIPTOR:
        apply_descriptor(bindings, event, process, index);
        break;
    case PW_KIND_PASSED:
        socket->in_flight += event->error == 0;
        break;
    case PW_KIND_CLOSE:
        apply_close(bindings, event, process, index);
        break;
    case PW_KIND_SHUTDOWN:
        apply_shutdown(bindings, event, index);
        break;
    case PW_KIND_OPTION:
        socket->linger_zero = event->error == 0 ? event->value != 0 : socket->linger_zero;
        break;
    case PW_KIND_DESTROYED:
        socket->destroyed_ns = event->ns;
        socket->time_wait = (event->flags & PW_FLAG_TIME_WAIT) != 0;
        break;
    default:
        break;
    }
}

/* The end of a socket itself: when nothing held it any more, or what the kernel said. */
static uint64_t end_of_socket(const struct socket_state *socket, enum end_known_by *how) {
    bool released = socket->holders == 0 && socket->in_flight == 0 && socket->released_ns != 0;
    bool destroyed = socket->destroyed_ns != 0 && !socket->time_wait;

    /* What a client closed goes on in TIME_WAIT, and only the kernel knows for how long. */
    if (socket->client && !socket->linger_zero)
        released = false;
    if (socket->destroyed_ns != 0 && socket->time_wait)
        released = false;
    if (released && (socket->released_by == END_CLOSED || !destroyed)) {
        *how = socket->released_by;
        return socket->released_ns;
    }
    *how = destroyed ? END_DESTROYED : END_NOT_SEEN;
    return destroyed ? socket->destroyed_ns : 0;
}

/* The end of a connection that a listener accepted. Where SO_REUSEADDR was set its TIME_WAIT does
 * not keep a listener that sets it too from taking the port again, so there a close is an end.
 * Without, either side may have closed first, and only the kernel knows whether it left a
 * TIME_WAIT. */
static uint64_t end_of_accepted(const struct socket_state *socket, enum end_known_by *how) {
    struct socket_state seen = *socket;

    seen.client = !socket->reuse_address;
    seen.time_wait = socket->time_wait && !socket->reuse_address;
    return end_of_socket(&seen, how);
}

/* The port stays taken until the last connection accepted from the listener has gone as well. */
static void outlast_accepted(const struct bindings *bindings, struct binding *binding) {
    uint32_t index = binding->first_accepted;

    while (index != MAP_NONE && binding->to_ns != 0) {
        const struct socket_state *socket = &bindings->sockets.list[index];
        enum end_known_by how;
        uint64_t ns = end_of_accepted(socket, &how);

        if (ns == 0 || ns > binding->to_ns) {
            binding->to_ns = ns;
            binding->end_known_by = (uint8_t)how;
        }
        index = socket->next_accepted;
    }
}

static void finish_binding(const struct bindings *bindings, struct binding *binding) {
    const struct socket_state *socket;
    enum end_known_by how;

    if (binding->socket == MAP_NONE)
        return;
    socket = &bindings->sockets.list[binding->socket];
    binding->certainty = certainty_worse(binding->certainty, socket->certainty);
    if (binding->from_ns == 0)
        return;
    if (binding->to_ns == 0) {
        binding->to_ns = end_of_socket(socket, &how);
        binding->end_known_by = (uint8_t)how;
    }
    outlast_accepted(bindings, binding);
    /* The notice may be older than the end of the call that made the binding. */
    if (binding->to_ns != 0 && binding->to_ns < binding->from_ns)
        binding->to_ns = binding->from_ns;
}

void bindings_finish(struct bindings *bindings) {
    struct lives lives;

    events_sort(&bindings->events, &bindings->processes);
    lives_begin(&lives, &bindings->processes, &bindings->sockets);
    for (size_t i = 0; i < bindings->events.count; i++) {
        const struct event *event = &bindings->events.list[i];
        uint32_t process = processes_index(&bindings->processes, event->process);

        if (event->torn)
            sockets_doubt(&bindings->sockets, process, event->descriptor);
        else if (event->kind == PW_KIND_PROCESS_START || event->kind == PW_KIND_FORK ||
                 event->kind == PW_KIND_PROCESS_EXIT)
            lives_apply(&lives, event);
        /* The child of vfork has descriptors of its own but bears its parent's serial: what it
         * closes or duplicates changes nothing in its parent. */
        else if (!(event->flags & PW_FLAG_VFORK_CHILD) || event->binding != MAP_NONE)
            apply_to_socket(bindings, event, process);
    }
    lives_finish(&lives);
    lives_free(&lives);
    sockets_settle(&bindings->sockets);
    for (size_t i = 0; i < bindings->count; i++)
        finish_binding(bindings, &bindings->list[i]);
}

void bindings_free(struct bindings *bindings) {
    free(bindings->list);
    processes_free(&bindings->processes);
    events_free(&bindings->events);
    sockets_free(&bindings->sockets);
    *bindings = (struct bindings){0};
}
