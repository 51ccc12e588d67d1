/* Ports of one sequence are never those of the next, so that TIME_WAIT of one does not matter to
 * the other. */
#include "tests/property/sequence.h"

#include <arpa/inet.h>
#include <string.h>

#include "harness/base/splitmix.h"

enum { FIRST_BASE = 10000, LAST_BASE = 60000, PORTS_EACH = 8, SERVER_PORT = 6 };

static unsigned below(uint64_t *state, unsigned limit) {
    return (unsigned)(splitmix(state) % limit);
}

struct model_address sequence_address(const char *text) {
    struct model_address result = {.family6 = strchr(text, ':') != NULL};
    inet_pton(result.family6 ? AF_INET6 : AF_INET, text, result.bytes);
    return result;
}

static const char *const v4[] = {"0.0.0.0",   "127.0.0.1", "127.0.0.1",
                                 "127.0.0.2", "10.1.0.1",  "10.9.9.9"};
static const char *const v6[] = {
    "::", "::", "::1", "fd00:1::1", "fd00:2::1", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "fd00:9::9"};

/* What a sequence is about, so that its sockets get in each other's way. */
struct theme {
    unsigned base;
    unsigned reuseaddr; /* of ten sockets */
    unsigned reuseport;
    unsigned v6only;
    unsigned devices;
    unsigned others; /* of ten users */
    unsigned by_number;
    unsigned connects;
    unsigned closes; /* of ten calls on sockets in use, besides */
    bool datagram;
    bool tidy; /* sockets are bound once and closed */
    bool mixed;
    bool narrow; /* own ranges, reserved ports */
};

static bool one_of(uint64_t *state, unsigned of_ten) { return below(state, 10) < of_ten; }

static void random_bind(struct operation *operation, bool family6, const struct theme *theme,
                        uint64_t *state) {
    bool other = below(state, 60) == 0;
    if (family6 != other)
        operation->address = sequence_address(v6[below(state, sizeof v6 / sizeof *v6)]);
    else
        operation->address = sequence_address(v4[below(state, sizeof v4 / sizeof *v4)]);
    operation->kind = OPERATION_BIND;
    if (!one_of(state, theme->by_number))
        operation->port = 0;
    else if (below(state, 40) == 0)
        operation->port = 80;
    else
        operation->port = (uint16_t)(theme->base + (one_of(state, 7) ? 0 : below(state, 4)));
}

static void random_option(struct operation *operation, const struct theme *theme, uint64_t *state) {
    static const enum operation_kind options[] = {OPERATION_REUSEADDR, OPERATION_REUSEPORT,
                                                  OPERATION_V6ONLY, OPERATION_DEVICE,
                                                  OPERATION_NO_PORT};
    operation->kind = theme->narrow && one_of(state, 5)
                          ? OPERATION_PORTS
                          : options[below(state, sizeof options / sizeof *options)];
    operation->value = below(state, 4) != 0;
    operation->device = below(state, 3);
    if (operation->kind == OPERATION_PORTS) {
        operation->low = (uint16_t)(theme->base + below(state, 4));
        operation->high = (uint16_t)(operation->low + below(state, 2));
    }
}

static void random_setting(struct operation *operation, const struct theme *theme,
                           uint64_t *state) {
    operation->kind = below(state, 3) == 0 ? OPERATION_RANGE : OPERATION_RESERVED;
    operation->low = (uint16_t)(theme->base + below(state, 2));
    operation->high = (uint16_t)(operation->low + below(state, 6));
    if (operation->kind == OPERATION_RESERVED)
        operation->high = operation->low;
}

/* The next call on a socket: what it was for is remembered in `used`. */
static void random_call(struct operation *operation, bool family6, bool *used,
                        const struct theme *theme, uint64_t *state) {
    if (!*used && one_of(state, 8) && !one_of(state, theme->connects)) {
        random_bind(operation, family6, theme, state);
        *used = theme->tidy;
        return;
    }
    unsigned kind = below(state, 100);
    if (*used && one_of(state, theme->closes)) {
        operation->kind = OPERATION_CLOSE;
        *used = false;
        return;
    }
    if (one_of(state, theme->connects) && (!*used || below(state, 2) == 0)) {
        operation->kind = OPERATION_CONNECT;
        operation->address = sequence_address(family6 ? "::1" : "127.0.0.1");
        unsigned where = below(state, 8);
        operation->port = where == 0   ? REFUSING_PORT
                          : where == 1 ? (uint16_t)(theme->base + below(state, 3))
                                       : (uint16_t)(theme->base + SERVER_PORT);
        *used = theme->tidy;
    } else if (kind < 40) {
        operation->kind = OPERATION_LISTEN;
        *used = theme->tidy;
    } else if (kind < 52) {
        operation->kind = OPERATION_DISCONNECT;
        *used = false;
    } else if (kind < 60) {
        operation->kind = OPERATION_SHUTDOWN;
    } else if (kind < 80) {
        operation->kind = OPERATION_CLOSE;
        *used = false;
    } else if (kind < 90 && theme->narrow) {
        random_setting(operation, theme, state);
    } else {
        random_bind(operation, family6, theme, state);
    }
}

void (*sequence_renew_network)(void);
bool sequence_under_policy;
bool sequence_by_number;
bool sequence_kept;

/* Ports that no sequence before had. */
static unsigned fresh_base(void) {
    static unsigned next = FIRST_BASE;
    if (sequence_under_policy)
        return FIRST_BASE;
    next += PORTS_EACH;
    if (next > LAST_BASE) {
        next = FIRST_BASE;
        sequence_renew_network();
    }
    return next;
}

static uint16_t moved(uint16_t port, unsigned from, unsigned to) {
    return port >= from && port < from + PORTS_EACH ? (uint16_t)(port - from + to) : port;
}

struct sequence sequence_again(const struct sequence *sequence) {
    struct sequence copy = *sequence;
    copy.base = fresh_base();
    for (unsigned i = 0; i < copy.count; i++) {
        struct operation *operation = &copy.list[i];
        operation->port = moved(operation->port, sequence->base, copy.base);
        operation->low = moved(operation->low, sequence->base, copy.base);
        operation->high = moved(operation->high, sequence->base, copy.base);
    }
    return copy;
}

static struct theme random_theme(uint64_t *state) {
    static const unsigned shares[] = {0, 2, 5, 9, 10};
    struct theme theme = {
        .base = fresh_base(),
        .reuseaddr = shares[below(state, 5)],
        .reuseport = shares[below(state, 5)],
        .v6only = below(state, 3) == 0 ? 5 : 0,
        .devices = below(state, 4) == 0 ? 6 : 0,
        .others = below(state, 3) == 0 ? 4 : 0,
        .by_number = shares[1 + below(state, 4)],
        .connects = below(state, 3) == 0 ? 6 : 1,
        .datagram = below(state, 5) < 2,
        .tidy = below(state, 5) != 0,
        .mixed = below(state, 8) == 0,
        .narrow = below(state, 4) == 0,
    };
    if (!theme.datagram && theme.connects > 1) {
        /* So that what a connection leaves behind is met. */
        theme.by_number = 7;
        theme.reuseaddr = one_of(state, 5) ? 9 : 0;
        theme.reuseport = theme.devices = theme.v6only = 0;
        theme.closes = 4;
    }
    return theme;
}

struct making {
    struct sequence *sequence;
    const struct theme *theme;
    bool six[SEQUENCE_SOCKETS];
    bool used[SEQUENCE_SOCKETS];
    bool open[SEQUENCE_SOCKETS];
};

static struct operation *append(struct making *making, enum operation_kind kind, unsigned socket) {
    struct sequence *sequence = making->sequence;
    struct operation *operation = &sequence->list[sequence->count++];
    *operation = (struct operation){.kind = kind, .socket = socket, .value = true};
    return operation;
}

static void make_socket(struct making *making, unsigned socket, uint64_t *state) {
    const struct theme *theme = making->theme;
    struct operation *operation = append(making, OPERATION_SOCKET, socket);
    making->six[socket] = below(state, 2) == 0;
    making->used[socket] = false;
    making->open[socket] = true;
    operation->datagram = theme->mixed && one_of(state, 5) ? !theme->datagram : theme->datagram;
    operation->family6 = making->six[socket];
    operation->uid = one_of(state, theme->others) ? 65534 : 0;
    if (one_of(state, theme->reuseaddr))
        append(making, OPERATION_REUSEADDR, socket);
    if (one_of(state, theme->reuseport))
        append(making, OPERATION_REUSEPORT, socket);
    if (making->six[socket] && one_of(state, theme->v6only))
        append(making, OPERATION_V6ONLY, socket);
    if (one_of(state, theme->devices))
        append(making, OPERATION_DEVICE, socket)->device = 1 + below(state, 2);
}

/* A server outside of the range, for those that connect. */
static void make_server(struct making *making, uint64_t *state) {
    struct operation *socket = append(making, OPERATION_SOCKET, 0);
    socket->family6 = making->six[0] = below(state, 2) == 0;
    struct operation *bound = append(making, OPERATION_BIND, 0);
    bound->address = sequence_address(socket->family6 ? "::" : "0.0.0.0");
    bound->port = (uint16_t)(making->theme->base + SERVER_PORT);
    append(making, OPERATION_LISTEN, 0);
    making->open[0] = making->used[0] = true;
}

/* UDP: one shares by address, the next by both, and the third meets the second first. */
static void make_group(struct making *making, uint64_t *state) {
    bool six = below(state, 2) == 0;
    unsigned port = making->theme->base + below(state, 3);
    for (unsigned i = 0; i < 3; i++) {
        append(making, OPERATION_SOCKET, i);
        making->sequence->list[making->sequence->count - 1].datagram = true;
        making->sequence->list[making->sequence->count - 1].family6 = making->six[i] = six;
        append(making, OPERATION_REUSEADDR, i)->value = i < 2 || below(state, 6) == 0;
        append(making, OPERATION_REUSEPORT, i)->value = i > 0 || below(state, 6) == 0;
        struct operation *bound = append(making, OPERATION_BIND, i);
        bound->address = sequence_address(six ? below(state, 2) == 0 ? "::" : "::1"
                                          : below(state, 2) == 0 ? "0.0.0.0"
                                                                 : "127.0.0.1");
        bound->port = (uint16_t)port;
        making->open[i] = making->used[i] = true;
    }
}

static void bind_to(struct making *making, unsigned socket, const char *text, unsigned port) {
    struct operation *bound = append(making, OPERATION_BIND, socket);
    bound->address = sequence_address(text);
    bound->port = (uint16_t)port;
}

static void plain_socket(struct making *making, unsigned socket, uint32_t uid) {
    append(making, OPERATION_SOCKET, socket)->uid = uid;
    making->open[socket] = making->used[socket] = true;
    making->six[socket] = false;
}

/* Two that get in each other's way in one of the rarer ways. */
static void make_pair(struct making *making, uint64_t *state) {
    unsigned port = making->theme->base + below(state, 3);
    unsigned way = below(state, 6);
    bool other_user = way == 0 || way == 1;
    for (unsigned i = 1; i < 3; i++) {
        plain_socket(making, i, other_user && i == 2 ? 65534 : 0);
        if (way == 0)
            append(making, OPERATION_REUSEPORT, i);
        else if (way == 2 || way == 3)
            append(making, OPERATION_REUSEADDR, i);
        else if (way == 4)
            append(making, OPERATION_DEVICE, i)->device = i;
        else if (way == 1)
            append(making, OPERATION_NO_PORT, i);
    }
    bind_to(making, 1, "127.0.0.1", way == 1 ? 0 : port);
    if (way == 5) {
        struct operation *connect = append(making, OPERATION_CONNECT, 1);
        connect->address = sequence_address("127.0.0.1");
        connect->port = (uint16_t)(making->theme->base + SERVER_PORT);
        append(making, OPERATION_CLOSE, 1);
        making->open[1] = making->used[1] = false;
    }
    bind_to(making, 2, "127.0.0.1", way == 1 ? 80 : port);
    for (unsigned i = 1; i < 3 && (way == 2 || way == 3); i++) {
        struct operation *call = append(making, way == 2 ? OPERATION_LISTEN : OPERATION_CONNECT, i);
        call->address = sequence_address("127.0.0.1");
        call->port = (uint16_t)(making->theme->base + SERVER_PORT);
    }
}

void sequence_make(struct sequence *sequence, uint64_t *state) {
    const struct theme theme = random_theme(state);
    struct making making = {.sequence = sequence, .theme = &theme};
    unsigned length = 16 + below(state, SEQUENCE_MAX - 24);
    *sequence = (struct sequence){.base = theme.base};
    struct operation *range = append(&making, OPERATION_RANGE, 0);
    range->low = (uint16_t)theme.base;
    range->high = (uint16_t)(theme.base + below(state, 5));
    if (sequence_under_policy)
        range->high = (uint16_t)(theme.base + 3);
    bool serves = theme.connects > 1 && !theme.datagram;
    if (serves)
        make_server(&making, state);
    if (!theme.datagram && below(state, 3) == 0)
        make_pair(&making, state);
    else if (theme.datagram && below(state, 2) == 0)
        make_group(&making, state);
    while (sequence->count < length && sequence->count + 6 < SEQUENCE_MAX) {
        unsigned socket = below(state, SEQUENCE_SOCKETS);
        if (serves && socket == 0 && below(state, 4) != 0)
            continue; /* the server is left alone, mostly */
        if (!making.open[socket]) {
            make_socket(&making, socket, state);
            continue;
        }
        struct operation *operation = append(&making, OPERATION_CLOSE, socket);
        if (below(state, 10) == 0)
            random_option(operation, &theme, state);
        else
            random_call(operation, making.six[socket], &making.used[socket], &theme, state);
        making.open[socket] = operation->kind != OPERATION_CLOSE;
    }
}
