/*
 * A failure that was seen once is worth little; so its output and trace are kept, and the shortest
 * command that shows it again is looked for at once, while everything is as it was.
 */
#include "harness/stress/session.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/message.h"

enum { TRIES_EACH = 2 };

static bool fail(const char *what) { return complain("stress", "%s: %s", what, strerror(errno)); }

static bool make_folder(struct stress_session *session) {
    if (session->options->keep != NULL)
        snprintf(session->folder, sizeof session->folder, "%s", session->options->keep);
    else
        snprintf(session->folder, sizeof session->folder, "portwitness-stress-%d", (int)getpid());
    return mkdir(session->folder, 0777) == 0 || fail(session->folder);
}

/* The policy of one round: each has a seed of its own, which can be said again. */
static void policy_of_round(const struct policy_option *policy, unsigned round, char text[64]) {
    struct policy_option own = *policy;
    char value[128];
    char problem[128];
    snprintf(text, 64, "%s", policy->text);
    if (policy->config.kind != PW_POLICY_SEEDED)
        return;
    own.config.seed += round;
    int length = snprintf(value, sizeof value, "seeded:%llu", (unsigned long long)own.config.seed);
    if (own.config.low != 0)
        snprintf(value + length, sizeof value - (size_t)length, ",range:%u-%u", own.config.low,
                 own.config.high);
    if (policy_option_parse(value, &own, problem, sizeof problem))
        snprintf(text, 64, "%s", own.text);
}

/* A folder's name for the round, as "seeded-7-isolated-3". */
static bool round_folder(const struct stress_session *session, const char *policy, bool isolated,
                         unsigned round, char folder[PATH_MAX]) {
    int used = snprintf(folder, PATH_MAX, "%s/", session->folder);
    if (used < 0 || used >= PATH_MAX)
        return errno = ENAMETOOLONG, false;
    char *name = folder + used;
    used += snprintf(name, (size_t)(PATH_MAX - used), "%s%s-%u", policy,
                     isolated ? "-isolated" : "", round + 1);
    for (; *name != '\0'; name++)
        if (!isalnum((unsigned char)*name))
            *name = '-';
    return mkdir(folder, 0777) == 0;
}

static void count_ending(struct stress_row *row, const struct copy_status *status) {
    for (unsigned i = 0; i < row->ending_count; i++) {
        struct stress_ending *ending = &row->endings[i];
        bool same = ending->timed_out == (status->timed_out != 0) &&
                    (ending->timed_out || ending->wait_status == status->wait_status);
        if (same || i == STRESS_ENDINGS_MAX - 1) {
            ending->count++;
            return;
        }
    }
    row->endings[row->ending_count++] =
        (struct stress_ending){status->wait_status, status->timed_out != 0, 1};
}

static void add_tests(struct stress_session *session, const struct stress_row *row,
                      const struct round_plan *plan) {
    char trace[PATH_MAX];
    int used = snprintf(trace, sizeof trace, "%s/trace", plan->folder);
    session->tests.row_room = 2 * STRESS_POLICIES_MAX;
    if (used > 0 && used < PATH_MAX)
        outcome_table_add(&session->tests, (size_t)(row - session->rows), trace);
}

static void add(struct stress_row *row, const struct round_plan *plan,
                const struct round_result *result) {
    for (unsigned i = 0; i < plan->copies; i++)
        if (result->statuses[i].wait_status != 0 || result->statuses[i].timed_out != 0)
            count_ending(row, &result->statuses[i]);
    row->rounds++;
    row->runs += plan->copies;
    row->failed += result->failed;
    row->lost_races += result->lost_races;
    row->double_hand_outs += result->double_hand_outs;
    row->race_windows += result->race_windows;
    row->address_in_use += result->address_in_use;
    row->errors += result->errors;
    row->unreached += result->unreached;
    row->programs_unreached += result->programs_unreached;
    first_names_join(&row->unreached_names, &result->unreached_names);
    row->incomplete += result->incomplete;
    row->ns += result->ns;
}

static void keep(struct stress_session *session, const struct round_plan *plan) {
    session->kept++;
    if (session->first.any)
        return;
    session->first = (struct stress_failure){.any = true, .isolated = plan->isolate};
    snprintf(session->first.policy, sizeof session->first.policy, "%s", plan->policy);
    snprintf(session->first.folder, sizeof session->first.folder, "%s", plan->folder);
}

/* One round of a row. false where it could not be run. *bad says whether it failed. */
static bool run_round(struct stress_session *session, struct stress_row *row, unsigned round,
                      bool *bad) {
    const struct stress_options *options = session->options;
    char policy[64];
    char folder[PATH_MAX];
    struct round_result result;
    policy_of_round(row->policy, round, policy);
    if (!round_folder(session, policy, row->isolated, round, folder))
        return fail(folder);
    const struct round_plan plan = {.folder = folder,
                                    .policy = policy,
                                    .copies = options->copies,
                                    .timeout_seconds = options->timeout_seconds,
                                    .isolate = row->isolated,
                                    .pytest = options->pytest,
                                    .command = options->command};
    bool good = round_run(&plan, &result);
    *bad = good && round_is_bad(&result);
    if (good) {
        add(row, &plan, &result);
        add_tests(session, row, &plan);
    }
    if (*bad)
        keep(session, &plan);
    else
        round_remove(&plan);
    round_result_free(&result);
    return good;
}

static bool run_row(struct stress_session *session, const struct policy_option *policy,
                    bool isolated, bool *stop) {
    struct stress_row *row = &session->rows[session->row_count++];
    *row = (struct stress_row){.policy = policy, .isolated = isolated};
    for (unsigned round = 0; round < session->options->rounds && !*stop; round++) {
        bool bad;
        session->progress(row, round, session->options->rounds);
        if (!run_round(session, row, round, &bad))
            return false;
        *stop = bad && session->options->until_failure;
    }
    return true;
}

/* Whether the first failure, or one like it, comes again with so many copies. */
static bool shows_again(struct stress_session *session, unsigned copies, bool *again) {
    for (unsigned i = 0; i < TRIES_EACH && !*again; i++) {
        char folder[PATH_MAX];
        struct round_result result;
        if (!round_folder(session, "again", session->first.isolated, session->first.tries++,
                          folder))
            return fail(folder);
        const struct round_plan plan = {.folder = folder,
                                        .policy = session->first.policy,
                                        .copies = copies,
                                        .timeout_seconds = session->options->timeout_seconds,
                                        .isolate = session->first.isolated,
                                        .pytest = session->options->pytest,
                                        .command = session->options->command};
        bool good = round_run(&plan, &result);
        *again = good && round_is_bad(&result);
        round_remove(&plan);
        round_result_free(&result);
        if (!good)
            return false;
    }
    return true;
}

static bool find_shortest(struct stress_session *session) {
    unsigned copies = 1;
    bool again = false;
    while (session->first.any && !again) {
        session->progress(NULL, session->first.tries, 0);
        if (!shows_again(session, copies, &again))
            return false;
        if (again)
            session->first.copies = copies;
        if (copies == session->options->copies)
            break;
        copies = 2 * copies < session->options->copies ? 2 * copies : session->options->copies;
    }
    return true;
}

static bool run_rows(struct stress_session *session) {
    const struct stress_options *options = session->options;
    bool stop = false;
    for (unsigned i = 0; i < options->policy_count && !stop; i++)
        if (!run_row(session, &options->policies[i], false, &stop) ||
            (options->isolate && !stop && !run_row(session, &options->policies[i], true, &stop)))
            return false;
    return true;
}

bool stress_run(struct stress_session *session) {
    if (!make_folder(session))
        return false;
    bool good = run_rows(session) && find_shortest(session);
    session->interrupted = round_interrupted != 0;
    (void)rmdir(session->folder); /* if nothing is in it */
    return good || session->interrupted;
}

bool stress_found(const struct stress_session *session) {
    for (unsigned i = 0; i < session->row_count; i++)
        if (session->rows[i].failed > 0 || session->rows[i].errors > 0)
            return true;
    return false;
}
