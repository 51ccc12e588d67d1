/* A whole `portwitness stress`: the rounds under each policy, and what they come to. */
#ifndef PORTWITNESS_STRESS_SESSION_H
#define PORTWITNESS_STRESS_SESSION_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "harness/stress/round.h"
#include "harness/stress/stress_options.h"
#include "harness/stress/test_outcomes.h"

enum { STRESS_ENDINGS_MAX = 64 };

/* How copies failed: a wait status, or that the time was up. */
struct stress_ending {
    int wait_status;
    bool timed_out;
    uint64_t count;
};

/* The rounds under one policy, together or isolated. */
struct stress_row {
    const struct policy_option *policy;
    bool isolated;
    unsigned rounds; /* that were run to their end */
    uint64_t runs;
    uint64_t failed;
    struct stress_ending endings[STRESS_ENDINGS_MAX];
    unsigned ending_count;
    uint64_t lost_races;
    uint64_t double_hand_outs;
    uint64_t race_windows;
    uint64_t address_in_use;
    uint64_t errors;
    uint64_t unreached;          /* requests in namespaces that the policy had no room for */
    uint64_t programs_unreached; /* that no policy can choose a port for */
    struct first_names unreached_names;
    unsigned incomplete; /* rounds of which something could not be seen */
    uint64_t ns;
};

/* The first round that failed, and the shortest way to it. */
struct stress_failure {
    bool any;
    bool isolated;
    char policy[64]; /* with the round's own seed */
    char folder[PATH_MAX];
    unsigned copies; /* how many it takes to show it again, 0: it did not show again */
    unsigned tries;  /* how many rounds were run to see it again */
};

struct stress_session {
    const struct stress_options *options;
    struct stress_row rows[2 * STRESS_POLICIES_MAX];
    unsigned row_count;
    struct outcome_table tests;
    struct stress_failure first;
    char folder[PATH_MAX]; /* what is kept is in it */
    unsigned kept;         /* rounds */
    bool interrupted;
    void (*progress)(const struct stress_row *row, unsigned done, unsigned rounds);
};

/* Runs all rounds, and after them what is needed to see the first failure again. false, with one
 * line on stderr, where portwitness itself failed; what was done by then is in the session. */
bool stress_run(struct stress_session *session);

/* Did anything fail? */
bool stress_found(const struct stress_session *session);

#endif
