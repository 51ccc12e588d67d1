/* One round of `portwitness stress`: so many copies under one `portwitness run`, and what came of
 * them. */
#ifndef PORTWITNESS_STRESS_ROUND_H
#define PORTWITNESS_STRESS_ROUND_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "harness/base/first_names.h"
#include "harness/stress/copies.h"
#include "harness/stress/stress_options.h"

struct round_plan {
    const char *folder; /* exists, and is the round's own */
    const char *policy; /* its text */
    unsigned copies;
    unsigned timeout_seconds;
    bool isolate;
    bool pytest;
    char **command;
};

struct round_result {
    struct copy_status *statuses; /* plan.copies of them */
    unsigned failed;              /* copies that failed */
    uint64_t lost_races;
    uint64_t double_hand_outs;
    uint64_t race_windows;
    uint64_t address_in_use;
    uint64_t errors;             /* findings that are errors, of all kinds */
    uint64_t unreached;          /* requests in namespaces that the policy had no room for */
    uint64_t programs_unreached; /* that no policy can choose a port for */
    struct first_names unreached_names;
    bool incomplete; /* something could not be seen */
    uint64_t ns;     /* how long it took */
};

/* Set by a signal handler: the round is ended, and the copies with it. */
extern volatile sig_atomic_t round_interrupted;

/* Runs it. false, with one line on stderr, where it could not be run, or was ended by a signal that
 * set round_interrupted. What the copies wrote and the trace ("trace") are in the folder. */
bool round_run(const struct round_plan *plan, struct round_result *result);

/* Did a copy fail, or was an error found? */
bool round_is_bad(const struct round_result *result);

/* Frees what the result holds. */
void round_result_free(struct round_result *result);

/* Removes the folder with all that a round leaves in it. */
void round_remove(const struct round_plan *plan);

#endif
