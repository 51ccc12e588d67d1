/* The kernel draws ports at random, but not from all of the range alike: what it prefers it takes
 * until nothing of it is left (inet_csk_find_open_port, __inet_hash_connect, udp_lib_get_port). */
#include "harness/model/port_choice.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/model/conflict.h"

struct span {
    unsigned low;
    unsigned high; /* one past the last */
    bool narrowed; /* by the socket's own option */
};

/* A bound of IP_LOCAL_PORT_RANGE counts where it lies in the system's range. */
static struct span span_of(const struct model *model, const struct model_socket *socket) {
    struct span span = {model->low, (unsigned)model->high + 1, false};
    if (socket->low == 0 && socket->high == 0)
        return span;
    if (model->off[RULE_SOCKET_RANGE])
        return span;
    model_hit(model, RULE_SOCKET_RANGE);
    span.narrowed = true;
    if (socket->low >= model->low && socket->low <= model->high)
        span.low = socket->low;
    if (socket->high >= model->low && socket->high <= model->high)
        span.high = (unsigned)socket->high + 1;
    return span;
}

static bool is_reserved(const struct model *model, unsigned port) {
    if (model->reserved[port] == 0)
        return false;
    model_hit(model, RULE_RESERVED);
    return !model->off[RULE_RESERVED];
}

static void add(struct model_answer *answer, unsigned port) {
    answer->possible = memory_grow(answer->possible, &answer->possible_room,
                                   answer->possible_count + 1, sizeof *answer->possible);
    answer->possible[answer->possible_count++] = (uint16_t)port;
}

static bool is_known(const struct model_answer *answer, unsigned port) {
    for (size_t i = 0; i < answer->possible_count; i++)
        if (answer->possible[i] == port)
            return true;
    return false;
}

/* Whether a port may be taken, in the eyes of one of the calls. */
struct search {
    const struct model *model;
    size_t asker;
    const struct model_address *peer; /* of a connect; NULL: a bind */
    uint16_t peer_port;
};

static bool is_free(const struct search *search, unsigned port) {
    const struct model *model = search->model;
    if (is_reserved(model, port))
        return false;
    if (search->peer == NULL)
        return conflict_is_free(model, search->asker, (uint16_t)port);
    if (!conflict_bucket_in_use(model, (uint16_t)port, search->asker))
        return true;
    return conflict_connections_alone(model, (uint16_t)port) && !model->off[RULE_CONNECT_SHARES] &&
           !port_choice_exists(model, search->asker, (uint16_t)port, search->peer,
                               search->peer_port, NULL);
}

/* The first free port from an offset on, in steps; 0: none. The kernel's own arithmetic: where the
 * size of the range is odd, the wrap leaves one out. */
static unsigned first_free(const struct search *search, struct span span, unsigned offset,
                           unsigned step, unsigned remaining) {
    unsigned port = span.low + offset;
    for (unsigned i = 0; i < remaining; i += step, port += step) {
        if (port >= span.high)
            port -= remaining;
        if (is_free(search, port))
            return port;
    }
    return 0;
}

/* All ports that a search can end with, over all places where it may begin. false: it can also end
 * with none. */
static bool search_span(const struct search *search, struct span span, unsigned step,
                        unsigned preferred, struct model_answer *answer) {
    unsigned size = span.high - span.low;
    unsigned remaining =
        step == 2 && size > 1 && !search->model->off[RULE_ODD_TOP] ? size & ~1U : size;
    bool surely = true;
    if (step == 2 && size > 1 && size % 2 == 1)
        model_hit(search->model, RULE_ODD_TOP);
    for (unsigned begin = 0; begin < remaining; begin++) {
        unsigned offset = begin;
        if (step == 2 && begin % 2 != preferred && remaining > 1)
            continue; /* the kernel rounds to the parity that it prefers */
        if (step == 2 && remaining == 1)
            offset = 0;
        unsigned port = first_free(search, span, offset, step, remaining);
        if (port == 0 && step == 2 && remaining > 1)
            port =
                first_free(search, span, preferred == 1 ? offset - 1 : offset + 1, step, remaining);
        if (port == 0)
            surely = false;
        else if (!is_known(answer, port))
            add(answer, port);
    }
    return surely;
}

static bool choose_tcp(const struct search *search, struct span span, struct model_answer *answer) {
    return span.low < span.high &&
           search_span(search, span, search->model->off[RULE_PARITY] ? 1 : 2, 1, answer);
}

static bool choose_by_halves(const struct search *search, struct span span,
                             struct model_answer *answer) {
    unsigned middle = span.low + (((span.high - span.low) >> 2) << 1);
    if (choose_tcp(search, (struct span){span.low, middle, false}, answer))
        return true;
    return choose_tcp(search, (struct span){middle, span.high, false}, answer);
}

/* UDP looks at every port of the range. */
static void choose_udp(const struct search *search, struct span span, struct model_answer *answer) {
    for (unsigned port = span.low; port < span.high; port++)
        if (is_free(search, port) &&
            (answer->possible_count == 0 || !search->model->off[RULE_ANY_FREE]))
            add(answer, port);
}

void port_choice_bind(const struct model *model, size_t asker, struct model_answer *answer) {
    const struct model_socket *one = &model->sockets[asker];
    struct span span = span_of(model, one);
    answer->chooses = true;
    answer->possible_count = 0;
    if (span.low >= span.high) {
        answer->rule = RULE_EXHAUSTED;
        return;
    }
    const struct search search = {.model = model, .asker = asker};
    bool surely = true;
    if (one->datagram) {
        answer->rule = RULE_ANY_FREE;
        choose_udp(&search, span, answer);
    } else if (one->reuseaddr && span.high - span.low >= 4 && !model->off[RULE_LOWER_HALF]) {
        answer->rule = RULE_LOWER_HALF;
        surely = choose_by_halves(&search, span, answer);
    } else {
        answer->rule = RULE_PARITY;
        surely = choose_tcp(&search, span, answer);
    }
    answer->may_fail = !surely && answer->possible_count > 0;
    if (answer->may_fail)
        answer->rule = RULE_ODD_TOP;
    if (answer->possible_count == 0)
        answer->rule = RULE_EXHAUSTED;
}

bool port_choice_exists(const struct model *model, size_t asker, uint16_t port,
                        const struct model_address *peer, uint16_t peer_port, bool *closing) {
    const struct model_socket *one = &model->sockets[asker];
    for (size_t i = 0; i < model->count && !model->off[RULE_CONNECTION_EXISTS]; i++) {
        const struct model_socket *other = &model->sockets[i];
        if (i != asker && other->open && !other->datagram && other->port == port &&
            (other->device == 0 || other->device == one->device) &&
            (other->state == MODEL_CONNECTED || other->time_wait) &&
            other->peer_port == peer_port && other->peer.family6 == peer->family6 &&
            memcmp(other->peer.bytes, peer->bytes, peer->family6 ? 16 : 4) == 0 &&
            (peer->family6 ? memcmp(other->local.v6, one->local.v6, 16) == 0
                           : other->local.v4 == one->local.v4)) {
            if (closing != NULL)
                *closing = other->time_wait;
            return true;
        }
    }
    return false;
}

void port_choice_connect(const struct model *model, size_t asker, const struct model_address *peer,
                         uint16_t peer_port, struct model_answer *answer) {
    struct span span = span_of(model, &model->sockets[asker]);
    answer->chooses = true;
    answer->rule = RULE_CONNECT_PARITY;
    answer->possible_count = 0;
    const struct search search = {
        .model = model, .asker = asker, .peer = peer, .peer_port = peer_port};
    bool by_parity = !span.narrowed && !model->off[RULE_CONNECT_PARITY];
    bool surely = span.low < span.high && search_span(&search, span, by_parity ? 2 : 1, 0, answer);
    answer->may_fail = !surely && answer->possible_count > 0;
    for (size_t i = 0; i < answer->possible_count; i++)
        if (conflict_bucket_in_use(model, answer->possible[i], asker))
            answer->rule = RULE_CONNECT_SHARES;
    if (answer->possible_count == 0)
        answer->rule = RULE_EXHAUSTED;
}
