/* Random sequences of operations, and whether model and kernel agree on them. */
#ifndef PORTWITNESS_PROPERTY_SEQUENCE_H
#define PORTWITNESS_PROPERTY_SEQUENCE_H

#include "harness/explain/kernel_player.h"
#include "harness/model/model.h"

enum { SEQUENCE_MAX = 48, SEQUENCE_SOCKETS = 4, REFUSING_PORT = 1 };

struct sequence {
    struct operation list[SEQUENCE_MAX];
    unsigned count;
    unsigned base; /* its ports are base to base + 7; it begins with a range from base on */
};

/* Where they part. */
struct disagreement {
    unsigned at; /* index of the operation */
    int error;   /* the kernel's answer */
    uint16_t port;
    struct model_answer answer; /* the model's; `possible` is not kept */
    uint16_t possible[64];
    size_t possible_count;
};

enum coverage_call { COVERAGE_TCP, COVERAGE_CONNECT, COVERAGE_UDP, COVERAGE_CALLS };

struct coverage {
    uint64_t rules[MODEL_RULES];
    uint64_t operations;
    /* Where the model allowed ports of both parities: which of them the kernel gave, by kind of
     * call.
     */
    uint64_t picks[COVERAGE_CALLS][2];
};

/* Called when all ports have been used: makes another network namespace, since TIME_WAIT holds
 * ports of this one for a minute. */
extern void (*sequence_renew_network)(void);

/* The kernel's choices come under a policy: any port that the model's rules allow may be chosen,
 * not only those that the kernel likes best. All sequences use the same ports then, and make no
 * connections, whose ends would keep some of them. */
extern bool sequence_under_policy;

/* Its ports are bound by number. A TCP connect that is refused keeps the port then, which it would
 * not otherwise, and so there are none. */
extern bool sequence_by_number;

/* Ports are kept by one more socket at each, without SO_REUSEPORT. The kernel notes with the port
 * whether the last socket that was bound had that option, and then lets others with it bind past
 * all that are there (inet_csk_update_fastreuse): where they could not without the note, they may
 * be refused. */
extern bool sequence_kept;

/* The address that a text stands for. */
struct model_address sequence_address(const char *text);

/* Fills a sequence; `state` is the random source. */
void sequence_make(struct sequence *sequence, uint64_t *state);

/* Plays it in both; true if they agree. `off` is the rule that the model is to do without. Coverage
 * may be NULL. */
bool sequence_agrees(const struct sequence *sequence, enum model_rule off,
                     struct coverage *coverage, struct disagreement *disagreement);

/* Leaves out what is not needed for the disagreement. */
void sequence_shrink(struct sequence *sequence, enum model_rule off);

/* The same sequence on ports that were not used for long. */
struct sequence sequence_again(const struct sequence *sequence);

/* Writes it in the language of `explain`, and as a C program. */
void sequence_print(const struct sequence *sequence, const struct disagreement *disagreement);

#endif
