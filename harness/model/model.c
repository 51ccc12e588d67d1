/* The order in which the kernel looks at things is part of what it answers: which of two errors
 * comes is seen by the caller (inet_bind, __inet6_bind, inet_listen). */
#include "harness/model/model.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/model/conflict.h"
#include "harness/model/connection.h"
#include "harness/model/port_choice.h"

enum { PORTS = 65536, FIRST_UNPRIVILEGED = 1024 };

void model_begin(struct model *model, uint16_t low, uint16_t high) {
    *model = (struct model){.low = low, .high = high};
    model->buckets = memory_zeroed(PORTS, sizeof *model->buckets);
    model->reserved = memory_zeroed(PORTS, sizeof *model->reserved);
    /* The numbers below are for operations; what else there is comes behind. */
    model->sockets = memory_grow(NULL, &model->room, OPERATION_SOCKETS_MAX, sizeof *model->sockets);
    memset(model->sockets, 0, OPERATION_SOCKETS_MAX * sizeof *model->sockets);
    model->count = OPERATION_SOCKETS_MAX;
}

void model_add_address(struct model *model, const struct model_address *address, uint32_t device) {
    size_t room = model->address_count;
    model->addresses = memory_grow(model->addresses, &model->address_room, model->address_count + 1,
                                   sizeof *model->addresses);
    model->address_devices = memory_grow(model->address_devices, &room, model->address_count + 1,
                                         sizeof *model->address_devices);
    model->addresses[model->address_count] = *address;
    model->address_devices[model->address_count++] = device;
}

static bool is_any(const struct model_address *address) {
    static const uint8_t none[16];
    return memcmp(address->bytes, none, address->family6 ? 16 : 4) == 0;
}

static bool is_mapped(const struct model_address *address) {
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return address->family6 && memcmp(address->bytes, prefix, 12) == 0;
}

/* Is it an address of this host? Only addresses of host scope have to be the device's
 * (ipv6_chk_addr with strict = 0). */
static bool is_local(const struct model *model, const struct model_address *address,
                     uint32_t device) {
    static const uint8_t loopback[16] = {[15] = 1};
    if (model->off[RULE_NOT_LOCAL] || is_any(address))
        return true;
    if (!address->family6 && address->bytes[0] == 127)
        return true;
    if (address->family6 && memcmp(address->bytes, loopback, 16) == 0)
        return device == 0;
    for (size_t i = 0; i < model->address_count; i++)
        if (model->addresses[i].family6 == address->family6 &&
            memcmp(model->addresses[i].bytes, address->bytes, address->family6 ? 16 : 4) == 0)
            return true;
    return false;
}

static struct model_answer fail(int error, enum model_rule rule) {
    return (struct model_answer){.error = error, .rule = rule};
}

static bool needs_privilege(const struct model *model, const struct operation *operation,
                            const struct model_socket *socket) {
    return operation->port != 0 && operation->port < FIRST_UNPRIVILEGED && socket->uid != 0 &&
           !model->off[RULE_PRIVILEGED];
}

static bool is_bound(const struct model *model, const struct model_socket *socket) {
    return (socket->state != MODEL_CLOSED || socket->port != 0) && !model->off[RULE_BOUND_BEFORE];
}

/* What is wrong with the address and the socket's state; error 0: nothing. */
static struct model_answer examine(const struct model *model, const struct operation *operation,
                                   const struct model_socket *socket) {
    const struct model_address *address = &operation->address;
    if (!socket->family6) {
        if (address->family6 && !model->off[RULE_FAMILY])
            return fail(EAFNOSUPPORT, RULE_FAMILY);
        if (!is_local(model, address, 0))
            return fail(EADDRNOTAVAIL, RULE_NOT_LOCAL);
        if (needs_privilege(model, operation, socket))
            return fail(EACCES, RULE_PRIVILEGED);
        return is_bound(model, socket) ? fail(EINVAL, RULE_BOUND_BEFORE) : fail(0, RULE_FREE);
    }
    if (!address->family6)
        return fail(EINVAL, RULE_FAMILY);
    if (needs_privilege(model, operation, socket))
        return fail(EACCES, RULE_PRIVILEGED);
    if (is_bound(model, socket))
        return fail(EINVAL, RULE_BOUND_BEFORE);
    if (is_mapped(address)) {
        struct model_address v4 = {.family6 = false};
        memcpy(v4.bytes, address->bytes + 12, 4);
        if (socket->v6only && !model->off[RULE_FAMILY])
            return fail(EINVAL, RULE_FAMILY);
        return is_local(model, &v4, 0) ? fail(0, RULE_FREE) : fail(EADDRNOTAVAIL, RULE_NOT_LOCAL);
    }
    return is_local(model, address, socket->device) ? fail(0, RULE_FREE)
                                                    : fail(EADDRNOTAVAIL, RULE_NOT_LOCAL);
}

static void set_bound_address(struct model_socket *socket, const struct model_address *address) {
    memset(&socket->local, 0, sizeof socket->local);
    if (!address->family6) {
        memcpy(&socket->local.v4, address->bytes, 4);
    } else {
        memcpy(socket->local.v6, address->bytes, 16);
        if (is_mapped(address))
            memcpy(&socket->local.v4, address->bytes + 12, 4);
        else if (!is_any(address))
            socket->local.v4 = htonl(0x7f000006);
    }
}

static void take_port(struct model *model, size_t index, uint16_t port) {
    struct model_socket *socket = &model->sockets[index];
    bool was_bound = socket->port != 0;
    socket->port = port;
    socket->by_connect = false;
    socket->age = ++model->clock;
    socket->at_tail = socket->family6 && socket->reuseport;
    if (!socket->datagram)
        conflict_note_bound(model, index, was_bound);
}

/* A bind that fails leaves no address behind. */
static void undo_bind(struct model_socket *socket) {
    socket->v6only = socket->v6only_before;
    memset(&socket->local, 0, sizeof socket->local);
}

/* An address of IPv6 makes the socket one for IPv6 alone. */
static bool makes_v6only(const struct model_address *address) {
    return address->family6 && !is_any(address) && !is_mapped(address);
}

static struct model_answer bind_socket(struct model *model, const struct operation *operation) {
    struct model_socket *socket = &model->sockets[operation->socket];
    struct model_answer answer = examine(model, operation, socket);
    const struct model_socket before = *socket;
    if (answer.error != 0)
        return answer;
    socket->v6only_before = before.v6only;
    set_bound_address(socket, &operation->address);
    if (makes_v6only(&operation->address))
        socket->v6only = true;
    if (operation->port == 0 && socket->no_port && !model->off[RULE_NO_PORT]) {
        answer.rule = RULE_NO_PORT;
    } else if (operation->port == 0) {
        port_choice_bind(model, operation->socket, &answer);
        answer.error = answer.possible_count == 0 && !model->off[RULE_EXHAUSTED] ? EADDRINUSE : 0;
    } else if (!conflict_may_bind(model, operation->socket, operation->port, &answer.rule)) {
        answer.error = EADDRINUSE;
    }
    if (answer.error != 0) {
        answer.chooses = false;
        undo_bind(socket);
        return answer;
    }
    socket->address_lock = !is_any(&operation->address);
    socket->port_lock = operation->port != 0;
    if (operation->port != 0)
        take_port(model, operation->socket, operation->port);
    return answer;
}

static struct model_answer listen_on(struct model *model, size_t index) {
    struct model_socket *socket = &model->sockets[index];
    struct model_answer answer = fail(0, RULE_FREE);
    if (socket->datagram)
        return fail(EOPNOTSUPP, RULE_STATE);
    if ((socket->was_connected || socket->state == MODEL_CONNECTED) && !model->off[RULE_STATE])
        return fail(EINVAL, RULE_STATE);
    if (socket->state == MODEL_LISTENS)
        return fail(0, RULE_STATE);
    if (socket->port == 0) {
        port_choice_bind(model, index, &answer);
        if (answer.possible_count > 0)
            return answer;
        answer.chooses = false;
        answer.error = EADDRINUSE;
        return answer;
    }
    if (!model->off[RULE_LISTEN_CONFLICT] &&
        !conflict_may_bind(model, index, socket->port, &answer.rule))
        return fail(EADDRINUSE, RULE_LISTEN_CONFLICT);
    socket->state = MODEL_LISTENS;
    conflict_note_bound(model, index, true);
    return answer;
}

static struct model_answer set_option(struct model_socket *socket,
                                      const struct operation *operation) {
    switch (operation->kind) {
    case OPERATION_REUSEADDR:
        socket->reuseaddr = operation->value;
        return fail(0, RULE_NONE);
    case OPERATION_REUSEPORT:
        socket->reuseport = operation->value;
        return fail(0, RULE_NONE);
    case OPERATION_NO_PORT:
        socket->no_port = operation->value;
        return fail(0, RULE_NONE);
    case OPERATION_PORTS:
        socket->low = operation->low;
        socket->high = operation->high;
        return fail(0, RULE_NONE);
    case OPERATION_V6ONLY:
        if (!socket->family6)
            return fail(ENOPROTOOPT, RULE_FAMILY);
        if (socket->port != 0)
            return fail(EINVAL, RULE_BOUND_BEFORE);
        socket->v6only = operation->value;
        return fail(0, RULE_NONE);
    default:
        if (socket->device != 0 && socket->uid != 0)
            return fail(EPERM, RULE_PRIVILEGED);
        socket->device = operation->device;
        return fail(0, RULE_NONE);
    }
}

static struct model_answer make_socket(struct model *model, const struct operation *operation) {
    struct model_socket *socket = &model->sockets[operation->socket];
    if (socket->open)
        connection_close(model, operation->socket);
    socket = &model->sockets[operation->socket];
    *socket = (struct model_socket){.open = true,
                                    .datagram = operation->datagram,
                                    .family6 = operation->family6,
                                    .uid = operation->uid};
    return fail(0, RULE_NONE);
}

static struct model_answer set_system(struct model *model, const struct operation *operation) {
    if (operation->kind == OPERATION_RANGE) {
        model->low = operation->low;
        model->high = operation->high;
        return fail(0, RULE_NONE);
    }
    memset(model->reserved, 0, PORTS);
    for (unsigned port = operation->low; port != 0 && port <= operation->high; port++)
        model->reserved[port] = 1;
    return fail(0, RULE_NONE);
}

static struct model_answer apply(struct model *model, const struct operation *operation) {
    struct model_answer answer = fail(0, RULE_NONE);
    if (operation->kind == OPERATION_RANGE || operation->kind == OPERATION_RESERVED)
        return set_system(model, operation);
    if (operation->kind == OPERATION_SOCKET)
        return make_socket(model, operation);
    if (operation->socket >= OPERATION_SOCKETS_MAX || !model->sockets[operation->socket].open)
        return fail(EBADF, RULE_STATE);
    switch (operation->kind) {
    case OPERATION_BIND:
        return bind_socket(model, operation);
    case OPERATION_LISTEN:
        return listen_on(model, operation->socket);
    case OPERATION_CONNECT:
        connection_open(model, operation, &answer);
        return answer;
    case OPERATION_DISCONNECT:
        connection_disconnect(model, operation->socket, &answer);
        return answer;
    case OPERATION_SHUTDOWN:
        connection_shutdown(model, operation->socket, &answer);
        return answer;
    case OPERATION_CLOSE:
        connection_close(model, operation->socket);
        return answer;
    default:
        return set_option(&model->sockets[operation->socket], operation);
    }
}

struct model_answer model_apply(struct model *model, const struct operation *operation) {
    struct model_answer answer = apply(model, operation);
    model_hit(model, answer.rule);
    return answer;
}

void model_chose(struct model *model, const struct operation *operation, uint16_t port) {
    struct model_socket *socket = &model->sockets[operation->socket];
    if (operation->kind == OPERATION_CONNECT) {
        socket->port = port;
        socket->by_connect = true;
        if (socket->datagram) {
            socket->age = ++model->clock;
            socket->at_tail = socket->family6 && socket->reuseport;
        }
        if (!socket->datagram || socket->family6 || !operation->address.family6)
            connection_opened(model, operation, true);
        return;
    }
    take_port(model, operation->socket, port);
    if (operation->kind == OPERATION_LISTEN)
        socket->state = MODEL_LISTENS;
}

int model_found_none(struct model *model, const struct operation *operation) {
    struct model_socket *socket = &model->sockets[operation->socket];
    if (operation->kind == OPERATION_CONNECT) {
        connection_failed(model, operation->socket);
        return socket->datagram ? EAGAIN : EADDRNOTAVAIL;
    }
    if (operation->kind == OPERATION_BIND) {
        undo_bind(socket);
        socket->address_lock = false;
    }
    return EADDRINUSE;
}

void model_answer_free(struct model_answer *answer) {
    free(answer->possible);
    *answer = (struct model_answer){0};
}

void model_end(struct model *model) {
    free(model->sockets);
    free(model->buckets);
    free(model->reserved);
    free(model->addresses);
    free(model->address_devices);
    *model = (struct model){0};
}
