/* Plays a sequence in the model and in the kernel, and makes a failing one short. */
#include "tests/property/sequence.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "harness/model/conflict.h"
#include "harness/model/connection.h"
#include "harness/model/port_choice.h"

enum { TRIES = 12 };

static void begin_model(struct model *model, unsigned base) {
    static const struct {
        const char *address;
        uint32_t device;
    } addresses[] = {{"10.1.0.1", 1}, {"10.2.0.1", 2}, {"fd00:1::1", 1}, {"fd00:2::1", 2}};
    model_begin(model, (uint16_t)base, (uint16_t)(base + 3));
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct model_address one = sequence_address(addresses[i].address);
        model_add_address(model, &one, addresses[i].device);
    }
}

static unsigned listeners(const struct model *model, uint16_t port) {
    unsigned count = 0;
    for (size_t i = 0; i < model->count; i++)
        count += model->sockets[i].open && !model->sockets[i].datagram &&
                 model->sockets[i].state == MODEL_LISTENS && model->sockets[i].port == port;
    return count;
}

/* What a route or the choice between several listeners would decide is not the model's. */
static bool is_beyond(const struct model *model, const struct operation *operation) {
    const struct model_socket *socket = &model->sockets[operation->socket];
    /* Nor is what comes of packets that no longer reach a connection. */
    if (operation->kind == OPERATION_DEVICE && !socket->datagram &&
        socket->state == MODEL_CONNECTED)
        return true;
    if (operation->kind != OPERATION_CONNECT)
        return false;
    static const uint8_t none[16];
    static const uint8_t loopback[16] = {[15] = 1};
    if (!socket->open)
        return false;
    bool v4_local = socket->local.v4 == 0 || (ntohl(socket->local.v4) >> 24) == 127;
    bool v6_local =
        memcmp(socket->local.v6, none, 16) == 0 || memcmp(socket->local.v6, loopback, 16) == 0;
    if (socket->device != 0 || socket->family6 != operation->address.family6 ||
        (socket->family6 ? !v6_local : !v4_local))
        return true;
    if (socket->datagram)
        return false;
    /* Where nobody answers, a port of the range may be given that very number, and be connected to
     * itself. */
    return listeners(model, operation->port) > 1 || socket->reuseport ||
           socket->port == operation->port ||
           (operation->port != REFUSING_PORT &&
            !connection_is_answered(model, &operation->address, operation->port));
}

/* The range stays: the policy learns it once. */
static bool is_not_for_policies(const struct operation *operation, bool datagram, bool is_first) {
    if (!sequence_under_policy)
        return false;
    return (operation->kind == OPERATION_RANGE && !is_first) ||
           (operation->kind == OPERATION_CONNECT && !datagram &&
            (operation->port != REFUSING_PORT || sequence_by_number));
}

static bool is_among(const struct model_answer *answer, uint16_t port) {
    for (size_t i = 0; i < answer->possible_count; i++)
        if (answer->possible[i] == port)
            return true;
    return false;
}

static void keep(struct disagreement *disagreement, unsigned at, int error, uint16_t port,
                 const struct model_answer *answer) {
    *disagreement =
        (struct disagreement){.at = at, .error = error, .port = port, .answer = *answer};
    disagreement->answer.possible = NULL;
    for (size_t i = 0; i < answer->possible_count && i < 64; i++)
        disagreement->possible[disagreement->possible_count++] = answer->possible[i];
}

/* Whether the rules let the socket have the port, were it the only one there is. */
static bool may_be_given(struct model *model, const struct operation *operation, uint16_t port) {
    static const enum model_rule preferences[] = {RULE_PARITY, RULE_LOWER_HALF, RULE_ODD_TOP,
                                                  RULE_CONNECT_PARITY};
    const struct model before = *model;
    struct model_answer answer = {.error = 0};
    for (size_t i = 0; i < sizeof preferences / sizeof *preferences; i++)
        model->off[preferences[i]] = true;
    model->low = model->high = port;
    if (operation->kind == OPERATION_CONNECT && !model->sockets[operation->socket].datagram)
        port_choice_connect(model, operation->socket, &operation->address, operation->port,
                            &answer);
    else
        port_choice_bind(model, operation->socket, &answer);
    bool may = is_among(&answer, port);
    model_answer_free(&answer);
    model->low = before.low;
    model->high = before.high;
    memcpy(model->off, before.off, sizeof model->off);
    return may;
}

static bool is_allowed(struct model *model, const struct operation *operation,
                       const struct model_answer *answer, uint16_t port) {
    return is_among(answer, port) ||
           (sequence_under_policy && may_be_given(model, operation, port));
}

/* A port outside the range can only have been bound by number. */
static void note_number(struct model *model, const struct operation *operation, uint16_t port) {
    if (sequence_under_policy && (port < model->low || port > model->high))
        model->sockets[operation->socket].port_lock = true;
}

/* A model that allows more than the kernel ever does agrees with it always; so what it allows is
 * held against what comes. */
static void note_pick(struct coverage *coverage, const struct model *model,
                      const struct operation *operation, const struct model_answer *answer,
                      uint16_t port) {
    const struct model_socket *socket = &model->sockets[operation->socket];
    bool parity[2] = {false, false};
    for (size_t i = 0; i < answer->possible_count; i++)
        parity[(answer->possible[i] - model->low) & 1] = true;
    if (!parity[0] || !parity[1] || socket->low != 0)
        return;
    enum coverage_call call = socket->datagram                       ? COVERAGE_UDP
                              : operation->kind == OPERATION_CONNECT ? COVERAGE_CONNECT
                                                                     : COVERAGE_TCP;
    coverage->picks[call][(port - model->low) & 1]++;
}

/* The kernel's note of the port alone lets the socket have it, against a socket that is there. */
static bool is_by_note_alone(struct model *model, const struct operation *operation,
                             const struct model_answer *answer) {
    const struct model_socket *socket = &model->sockets[operation->socket];
    enum model_rule rule;
    if (answer->rule != RULE_BUCKET_REUSEPORT || answer->error != 0)
        return false;
    model->off[RULE_BUCKET_REUSEPORT] = true;
    bool may = conflict_may_bind(model, operation->socket, socket->port, &rule);
    model->off[RULE_BUCKET_REUSEPORT] = false;
    return !may;
}

bool sequence_agrees(const struct sequence *sequence, enum model_rule off,
                     struct coverage *coverage, struct disagreement *disagreement) {
    struct model model;
    struct kernel_player player;
    bool agree = true;
    begin_model(&model, sequence->base);
    model.off[off] = off != RULE_NONE;
    model.hits = coverage != NULL ? coverage->rules : NULL;
    kernel_player_begin(&player, NULL);
    for (unsigned i = 0; agree && i < sequence->count; i++) {
        const struct operation *operation = &sequence->list[i];
        uint16_t port;
        if (is_beyond(&model, operation) ||
            is_not_for_policies(operation, model.sockets[operation->socket].datagram, i == 0))
            continue;
        struct model_answer answer = model_apply(&model, operation);
        int error = kernel_player_apply(&player, operation, &port);
        bool fails = answer.may_fail && error != answer.error;
        if (fails)
            fails = error == model_found_none(&model, operation);
        if ((answer.may_take_over && error == 0) ||
            (sequence_kept && error == EADDRINUSE &&
             is_by_note_alone(&model, operation, &answer))) {
            /* From here on the kernel's way is one of two that it may go; it ends here. */
            model_answer_free(&answer);
            break;
        }
        agree = fails || (error == answer.error &&
                          (!answer.chooses || is_allowed(&model, operation, &answer, port)));
        if (coverage != NULL && answer.chooses && agree && !fails)
            note_pick(coverage, &model, operation, &answer, port);
        if (coverage != NULL) {
            coverage->operations++;
        }
        if (!agree)
            keep(disagreement, i, error, port, &answer);
        else if (answer.chooses && !fails) {
            model_chose(&model, operation, port);
            note_number(&model, operation, port);
        }
        model_answer_free(&answer);
    }
    /* Nothing is left reserved for the next one. */
    const struct operation none = {.kind = OPERATION_RESERVED};
    uint16_t port;
    kernel_player_apply(&player, &none, &port);
    kernel_player_end(&player);
    model_end(&model);
    return agree;
}

/* Ports are chosen at random, so one that agrees once may disagree the next time. */
static bool still_disagrees(const struct sequence *sequence, enum model_rule off) {
    struct disagreement disagreement;
    for (int i = 0; i < TRIES; i++) {
        const struct sequence again = sequence_again(sequence);
        if (!sequence_agrees(&again, off, NULL, &disagreement))
            return true;
    }
    return false;
}

void sequence_shrink(struct sequence *sequence, enum model_rule off) {
    bool shorter = true;
    while (shorter) {
        shorter = false;
        for (unsigned i = sequence->count; i-- > 1;) {
            struct sequence without = *sequence;
            memmove(&without.list[i], &without.list[i + 1],
                    (without.count - i - 1) * sizeof *without.list);
            without.count--;
            if (!still_disagrees(&without, off))
                continue;
            *sequence = without;
            shorter = true;
        }
    }
}
