/* What random sequences find by luck, short ones must not hide: every order of a few calls is
 * tried, and what stands in its first three calls is tried with it. */
#include "tests/property/exhaustive.h"

#include <inttypes.h>
#include <stdio.h>

#include "tests/property/sequence.h"

enum { BASE = 9000, CALLS = 8, SYMBOLS = 2 * CALLS, LENGTH = 4, PAIRS = 6 };

struct kind {
    bool datagram;
    bool family6;
};

static const struct kind pairs[PAIRS][2] = {
    {{false, false}, {false, false}}, {{false, false}, {false, true}},
    {{false, true}, {false, true}},   {{true, false}, {true, false}},
    {{true, false}, {true, true}},    {{false, false}, {true, true}},
};

static struct operation call(unsigned symbol, const struct kind *kinds) {
    unsigned socket = symbol / CALLS;
    bool six = kinds[socket].family6;
    struct operation operation = {.socket = socket, .value = true};
    switch (symbol % CALLS) {
    case 0:
        operation.kind = OPERATION_REUSEADDR;
        break;
    case 1:
        operation.kind = OPERATION_REUSEPORT;
        break;
    case 2:
        operation.kind = OPERATION_BIND;
        operation.address = sequence_address(six ? "::" : "0.0.0.0");
        operation.port = BASE;
        break;
    case 3:
        operation.kind = OPERATION_BIND;
        operation.address = sequence_address(six ? "::ffff:127.0.0.1" : "127.0.0.1");
        operation.port = BASE;
        break;
    case 4:
        operation.kind = OPERATION_BIND;
        operation.address = sequence_address(six ? "::" : "0.0.0.0");
        break;
    case 5:
        operation.kind = OPERATION_LISTEN;
        break;
    case 6:
        operation.kind = OPERATION_DISCONNECT;
        break;
    default:
        operation.kind = OPERATION_CLOSE;
        break;
    }
    return operation;
}

static void begin(struct sequence *sequence, const struct kind *kinds) {
    *sequence = (struct sequence){.base = BASE, .count = 3};
    sequence->list[0] = (struct operation){.kind = OPERATION_RANGE, .low = BASE, .high = BASE + 1};
    for (unsigned i = 0; i < 2; i++)
        sequence->list[1 + i] = (struct operation){.kind = OPERATION_SOCKET,
                                                   .socket = i,
                                                   .datagram = kinds[i].datagram,
                                                   .family6 = kinds[i].family6};
}

static bool run_pair(const struct kind *kinds, enum model_rule off, unsigned first, unsigned step,
                     uint64_t *count) {
    struct disagreement disagreement;
    for (unsigned number = first; number < SYMBOLS * SYMBOLS * SYMBOLS * SYMBOLS; number += step) {
        struct sequence sequence;
        unsigned rest = number;
        begin(&sequence, kinds);
        for (unsigned i = 0; i < LENGTH; i++, rest /= SYMBOLS)
            sequence.list[sequence.count++] = call(rest % SYMBOLS, kinds);
        (*count)++;
        if (sequence_agrees(&sequence, off, NULL, &disagreement))
            continue;
        sequence_print(&sequence, &disagreement);
        printf("disagreement in sequence %u\n", number);
        return false;
    }
    return true;
}

bool exhaustive_run(enum model_rule off, unsigned first, unsigned step) {
    uint64_t count = 0;
    for (unsigned i = 0; i < PAIRS; i++)
        if (!run_pair(pairs[i], off, first, step, &count))
            return false;
    printf("%" PRIu64 " sequences of %d calls, no disagreement\n", count, LENGTH);
    return true;
}
