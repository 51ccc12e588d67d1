/* A port that the kernel chose for a socket goes when its connection or its listening ends, one
 * that was bound by number stays (SOCK_BINDPORT_LOCK); and who closes first leaves TIME_WAIT
 * behind. */
#include "harness/model/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/model/conflict.h"
#include "harness/model/port_choice.h"

/* What IPv4 sees of a socket that is bound to an IPv6 address (LOOPBACK4_IPV6 in the kernel). */
#define V4_OF_V6 htonl(0x7f000006)

static void set_local(struct model_socket *socket, const struct model_address *address) {
    memset(&socket->local, 0, sizeof socket->local);
    if (!address->family6) {
        memcpy(&socket->local.v4, address->bytes, 4);
        if (socket->family6) {
            socket->local.v6[10] = socket->local.v6[11] = 0xff;
            memcpy(socket->local.v6 + 12, address->bytes, 4);
        }
        return;
    }
    memcpy(socket->local.v6, address->bytes, 16);
    socket->local.v4 = V4_OF_V6;
}

static void forget_local(struct model_socket *socket) {
    if (!socket->address_lock)
        memset(&socket->local, 0, sizeof socket->local);
}

static bool is_any_address(const struct model_socket *socket) {
    static const uint8_t none[16];
    return socket->family6 ? memcmp(socket->local.v6, none, 16) == 0 : socket->local.v4 == 0;
}

static void lose_port(const struct model *model, struct model_socket *socket) {
    if ((!socket->port_lock || model->off[RULE_PORT_LOCK]) && !model->off[RULE_PORT_LOST])
        socket->port = 0;
}

/* Does a listener answer at the address? Connections go to loopback alone, so their source address
 * is their destination address. */
static size_t listener_at(const struct model *model, const struct model_address *address,
                          uint16_t port) {
    for (size_t i = 0; i < model->count; i++) {
        const struct model_socket *socket = &model->sockets[i];
        struct model_socket seen = {.family6 = address->family6, .open = true};
        set_local(&seen, address);
        if (socket->open && !socket->datagram && socket->state == MODEL_LISTENS &&
            socket->port == port && socket->device == 0 &&
            conflict_addresses_overlap(model, &seen, socket))
            return i + 1;
    }
    return 0;
}

bool connection_is_answered(const struct model *model, const struct model_address *address,
                            uint16_t port) {
    return listener_at(model, address, port) != 0;
}

/* The end at the listener: bound as that is, to the address that was connected to. */
static void add_child(struct model *model, size_t client, size_t listener,
                      const struct model_address *address) {
    model->sockets =
        memory_grow(model->sockets, &model->room, model->count + 1, sizeof *model->sockets);
    struct model_socket *child = &model->sockets[model->count++];
    const struct model_socket *from = &model->sockets[listener - 1];
    *child = *from;
    child->state = MODEL_CONNECTED;
    child->port_lock = false;
    child->by_connect = false;
    set_local(child, address);
    child->listener = listener;
    child->other = client + 1;
    child->peer_port = model->sockets[client].port;
    child->peer = *address;
    model->sockets[client].other = model->count;
}

/* A reset comes to the other end. */
static void reset(struct model *model, size_t index) {
    struct model_socket *socket = &model->sockets[index];
    if (socket->device != 0)
        return; /* it comes by the loopback device */
    if (socket->time_wait || socket->listener != 0) {
        socket->open = false;
        return;
    }
    socket->state = MODEL_CLOSED;
    socket->other = 0;
    lose_port(model, socket);
}

static void end_children(struct model *model, size_t listener) {
    for (size_t i = 0; i < model->count; i++) {
        struct model_socket *child = &model->sockets[i];
        if (!child->open || child->listener != listener + 1)
            continue;
        child->open = false;
        if (child->other != 0)
            reset(model, child->other - 1);
    }
}

void connection_failed(struct model *model, size_t index) {
    forget_local(&model->sockets[index]);
    lose_port(model, &model->sockets[index]);
}

static void open_datagram(struct model *model, const struct operation *operation,
                          struct model_answer *answer) {
    struct model_socket *socket = &model->sockets[operation->socket];
    if (socket->port == 0) {
        port_choice_bind(model, operation->socket, answer);
        if (answer->possible_count == 0) {
            answer->error = EAGAIN;
            answer->chooses = false;
            return;
        }
    }
    if (!socket->family6 && operation->address.family6) {
        answer->error = EAFNOSUPPORT;
        answer->rule = RULE_FAMILY;
        return;
    }
    if (!answer->chooses)
        connection_opened(model, operation, false);
}

static void open_stream(struct model *model, const struct operation *operation,
                        struct model_answer *answer) {
    struct model_socket *socket = &model->sockets[operation->socket];
    if (socket->state != MODEL_CLOSED || socket->was_connected) {
        answer->error = EISCONN;
        answer->rule = RULE_STATE;
        return;
    }
    if (socket->family6 != operation->address.family6) {
        answer->error = socket->family6 ? EINVAL : EAFNOSUPPORT;
        answer->rule = RULE_FAMILY;
        return;
    }
    if (is_any_address(socket))
        model_hit(model, RULE_CONNECTED_ADDRESS);
    if (is_any_address(socket) && !model->off[RULE_CONNECTED_ADDRESS])
        set_local(socket, &operation->address);
    if (socket->port == 0) {
        port_choice_connect(model, operation->socket, &operation->address, operation->port, answer);
    } else if (port_choice_exists(model, operation->socket, socket->port, &operation->address,
                                  operation->port, &answer->may_take_over)) {
        /* A socket that has its port already takes over a connection in TIME_WAIT at once
         * (tcp_twsk_unique), but that state begins with the other end's acknowledgement, which may
         * be delayed. */
        answer->rule = RULE_CONNECTION_EXISTS;
    }
    if (answer->rule == RULE_CONNECTION_EXISTS || answer->rule == RULE_EXHAUSTED) {
        answer->error = EADDRNOTAVAIL;
        answer->chooses = false;
        connection_failed(model, operation->socket);
        return;
    }
    if (listener_at(model, &operation->address, operation->port) == 0 &&
        !model->off[RULE_REFUSED]) {
        answer->error = ECONNREFUSED;
        if (!answer->chooses)
            answer->rule = RULE_REFUSED;
    }
    if (!answer->chooses)
        connection_opened(model, operation, false);
}

void connection_open(struct model *model, const struct operation *operation,
                     struct model_answer *answer) {
    if (model->sockets[operation->socket].datagram)
        open_datagram(model, operation, answer);
    else
        open_stream(model, operation, answer);
}

static void opened_stream(struct model *model, const struct operation *operation, bool was_free) {
    struct model_socket *socket = &model->sockets[operation->socket];
    size_t listener = listener_at(model, &operation->address, operation->port);
    if (was_free)
        model->buckets[socket->port] = (struct model_bucket){.reuseport = false};
    if (listener == 0) {
        /* connect(2) that fails ends with a disconnect of its own. */
        connection_failed(model, operation->socket);
        return;
    }
    socket->state = MODEL_CONNECTED;
    socket->was_connected = true;
    socket->peer = operation->address;
    socket->peer_port = operation->port;
    add_child(model, operation->socket, listener, &operation->address);
}

void connection_opened(struct model *model, const struct operation *operation, bool chosen) {
    struct model_socket *socket = &model->sockets[operation->socket];
    if (!socket->datagram) {
        bool was_free = chosen && !conflict_bucket_in_use(model, socket->port, operation->socket);
        opened_stream(model, operation, was_free);
        return;
    }
    socket->state = MODEL_CONNECTED;
    if (is_any_address(socket) && !model->off[RULE_CONNECTED_ADDRESS])
        set_local(socket, &operation->address);
}

void connection_disconnect(struct model *model, size_t index, struct model_answer *answer) {
    struct model_socket *socket = &model->sockets[index];
    bool was_closed = socket->state == MODEL_CLOSED;
    size_t other = socket->other;
    if (socket->state == MODEL_LISTENS)
        end_children(model, index);
    socket = &model->sockets[index];
    socket->state = MODEL_CLOSED;
    socket->was_connected = false;
    socket->other = 0;
    forget_local(socket);
    if (socket->datagram)
        socket->device = 0; /* __udp_disconnect clears that too */
    answer->rule = socket->port_lock ? RULE_PORT_LOCK : RULE_PORT_LOST;
    if (socket->datagram || !was_closed)
        lose_port(model, socket);
    else
        answer->rule = RULE_STATE;
    if (other != 0)
        reset(model, other - 1);
}

void connection_shutdown(struct model *model, size_t index, struct model_answer *answer) {
    const struct model_socket *socket = &model->sockets[index];
    answer->rule = RULE_STATE;
    if (socket->state == MODEL_CLOSED) {
        answer->error = ENOTCONN;
    } else if (socket->state == MODEL_LISTENS) {
        connection_disconnect(model, index, answer);
    }
}

void connection_close(struct model *model, size_t index) {
    struct model_socket *socket = &model->sockets[index];
    if (socket->state == MODEL_LISTENS)
        end_children(model, index);
    socket = &model->sockets[index];
    if (!socket->datagram && socket->state == MODEL_CONNECTED && socket->other != 0) {
        model->sockets =
            memory_grow(model->sockets, &model->room, model->count + 1, sizeof *model->sockets);
        socket = &model->sockets[index];
        struct model_socket *rest = &model->sockets[model->count++];
        *rest = *socket;
        rest->state = MODEL_CLOSED;
        rest->time_wait = true;
        model->sockets[socket->other - 1].other = model->count;
    }
    *socket = (struct model_socket){0};
}
