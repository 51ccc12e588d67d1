/* The model of bind against the kernel: random sequences of operations on real sockets, in a
 * network namespace of its own with two devices, as two users, in narrow ranges of ports.
 *
 *   model_against_kernel [--seed N] [--operations N] [--without RULE] [--rules] [--coverage N]
 *
 *   --operations N  so many operations at least (100,000)
 *   --without RULE  the model does without the rule: a disagreement is expected then
 *   --rules         prints the names of the rules that can be left out
 *   --coverage N    each rule is to decide so many answers at least
 *   --exhaustive N  instead of random ones, all sequences of four calls on two sockets out of
 *                   sixteen calls, for six pairs of kinds of sockets: each Nth, the seed says from
 *                   which on
 *   --policy        it runs under a policy of `portwitness run`: it does not matter which of the
 *                   allowed ports is chosen
 *   --by-number     and the policy binds by number
 *   --kept          ... of which some are kept: the network namespace was made before `run`, which
 *                   keeps no other's ports
 *
 * The status is 0 if they agree, 1 if not (the shortest sequence is printed), 2 for wrong usage. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness/system/network.h"
#include "tests/property/exhaustive.h"
#include "tests/property/sequence.h"

struct options {
    uint64_t seed;
    uint64_t operations;
    uint64_t coverage;
    uint64_t exhaustive; /* the step; 0: random sequences */
    enum model_rule without;
};

static enum model_rule rule_of(const char *name) {
    for (int rule = RULE_NONE + 1; rule < MODEL_RULES; rule++)
        if (strcmp(model_rule_name((enum model_rule)rule), name) == 0)
            return (enum model_rule)rule;
    return RULE_NONE;
}

/* Those that change an answer when they are left out; the others name what always holds. */
static const enum model_rule removable[] = {
    RULE_NO_OVERLAP,
    RULE_WILDCARD,
    RULE_DUAL_STACK,
    RULE_V6ONLY,
    RULE_MAPPED,
    RULE_PROTOCOL,
    RULE_DEVICE,
    RULE_REUSEADDR,
    RULE_LISTENING,
    RULE_REUSEPORT,
    RULE_USER,
    RULE_BUCKET_REUSEPORT,
    RULE_FIRST_DECIDES,
    RULE_LISTEN_CONFLICT,
    RULE_AUTO_STRICT,
    RULE_ODD_TOP,
    RULE_CONNECT_SHARES,
    RULE_RESERVED,
    RULE_SOCKET_RANGE,
    RULE_PRIVILEGED,
    RULE_NOT_LOCAL,
    RULE_BOUND_BEFORE,
    RULE_NO_PORT,
    RULE_PORT_LOCK,
    RULE_PORT_LOST,
    RULE_CONNECTED_ADDRESS,
    RULE_TIME_WAIT,
    RULE_LOWER_HALF,
    RULE_PARITY,
    RULE_CONNECT_PARITY,
    RULE_CONNECTION_EXISTS,
    RULE_PLAIN_CONFLICT,
    RULE_FAMILY,
    RULE_STATE,
    RULE_EXHAUSTED,
    RULE_REFUSED,
    RULE_ANY_FREE,
};

static bool parse(struct options *options, int argc, char **argv) {
    *options = (struct options){.operations = 100000,
                                .seed = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rules") == 0) {
            for (size_t j = 0; j < sizeof removable / sizeof *removable; j++)
                puts(model_rule_name(removable[j]));
            exit(0);
        }
        if (strcmp(argv[i], "--policy") == 0) {
            sequence_under_policy = true;
            continue;
        }
        if (strcmp(argv[i], "--by-number") == 0) {
            sequence_by_number = true;
            continue;
        }
        if (strcmp(argv[i], "--kept") == 0) {
            sequence_kept = true;
            continue;
        }
        if (i + 1 == argc)
            return false;
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "--seed") == 0)
            options->seed = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--operations") == 0)
            options->operations = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--exhaustive") == 0)
            options->exhaustive = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--coverage") == 0)
            options->coverage = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--without") != 0 ||
                 (options->without = rule_of(value)) == RULE_NONE)
            return false;
        i++;
    }
    return true;
}

/* Kernels without dummy devices have the two ends of a cable as a rule. */
static bool make_devices(void) {
    return system(
               "{ { ip link add dummy0 type dummy && ip link add dummy1 type dummy; } 2>/dev/null "
               "|| ip link add dummy0 type veth peer name dummy1; } && "
               "ip link set dummy0 up && ip link set dummy1 up && "
               "ip addr add 10.1.0.1/24 dev dummy0 && ip addr add 10.2.0.1/24 dev dummy1 && "
               "ip -6 addr add fd00:1::1/64 dev dummy0 nodad && "
               "ip -6 addr add fd00:2::1/64 dev dummy1 nodad") == 0;
}

static void renew_network(void) {
    const char *problem = sequence_kept ? NULL : network_make_private(10000, 10003);
    if (problem == NULL && make_devices() && kernel_player_keep_time_wait())
        return;
    printf("SKIP no network namespace of its own: %s\n", problem != NULL ? problem : "ip");
    exit(77);
}

static bool print_coverage(const struct coverage *coverage, uint64_t least) {
    bool good = true;
    for (int rule = RULE_NONE + 1; rule < MODEL_RULES; rule++) {
        uint64_t count = coverage->rules[rule];
        printf("%8" PRIu64 "  %s%s\n", count, model_rule_name((enum model_rule)rule),
               count < least ? "  <- too seldom" : "");
        good = good && count >= least;
    }
    return good;
}

enum { PICKS_ENOUGH = 200, RARELY = 50 };

/* Does the kernel give ports of both parities where the model says that it may? */
static bool is_tight(const struct coverage *coverage) {
    static const char *const calls[COVERAGE_CALLS] = {"TCP", "TCP connect", "UDP"};
    bool tight = true;
    for (unsigned call = 0; call < COVERAGE_CALLS; call++) {
        const uint64_t *picks = coverage->picks[call];
        uint64_t all = picks[0] + picks[1];
        if (all < PICKS_ENOUGH || (picks[0] * RARELY > all && picks[1] * RARELY > all))
            continue;
        printf("disagreement: over %s the model allows ports that the kernel does not give: of "
               "%" PRIu64 " choices among both parities it gave %" PRIu64 " even ones\n",
               calls[call], all, picks[0]);
        tight = false;
    }
    return tight;
}

enum { REPEATS = 20, ONCE_MOST = 3 };

/* What the kernel does once and then never again for the same calls is a matter of time: an
 * acknowledgement or a timer that came late on a busy machine. A wrong rule shows again, also where
 * the kernel's choice of one of the four ports has to fall the same way. */
static bool happens_again(const struct sequence *sequence, enum model_rule without,
                          struct disagreement *disagreement) {
    for (int i = 0; i < REPEATS; i++) {
        struct sequence again = sequence_again(sequence);
        if (!sequence_agrees(&again, without, NULL, disagreement))
            return true;
    }
    return false;
}

int main(int argc, char **argv) {
    struct options options;
    struct coverage coverage = {.operations = 0};
    if (!parse(&options, argc, argv)) {
        fprintf(stderr, "usage: model_against_kernel [--seed N] [--operations N] [--without RULE] "
                        "[--rules] [--coverage N] [--exhaustive N] "
                        "[--policy [--by-number] [--kept]]\n");
        return 2;
    }
    sequence_renew_network = renew_network;
    renew_network();
    printf("seed %" PRIu64 "\n", options.seed);
    if (options.exhaustive != 0)
        return exhaustive_run(options.without, (unsigned)(options.seed % options.exhaustive),
                              (unsigned)options.exhaustive)
                   ? 0
                   : 1;
    uint64_t state = options.seed;
    int once = 0;
    while (coverage.operations < options.operations) {
        struct sequence sequence;
        struct disagreement disagreement;
        sequence_make(&sequence, &state);
        if (sequence_agrees(&sequence, options.without, &coverage, &disagreement))
            continue;
        if (++once <= ONCE_MOST && !happens_again(&sequence, options.without, &disagreement)) {
            sequence_print(&sequence, &disagreement);
            puts("not seen again: the machine was busy");
            continue;
        }
        sequence_shrink(&sequence, options.without);
        for (int i = 0; i < 100; i++) {
            sequence = sequence_again(&sequence);
            if (!sequence_agrees(&sequence, options.without, NULL, &disagreement))
                break;
        }
        sequence_print(&sequence, &disagreement);
        printf("disagreement after %" PRIu64 " operations\n", coverage.operations);
        return 1;
    }
    printf("%" PRIu64 " operations, no disagreement\n", coverage.operations);
    return print_coverage(&coverage, options.coverage) &&
                   (sequence_under_policy || is_tight(&coverage))
               ? 0
               : 1;
}
