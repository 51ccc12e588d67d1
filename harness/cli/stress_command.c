/* portwitness stress: a user's own tests under concurrency and under policies. */
#include <string.h>

#include "harness/base/statuses.h"
#include "harness/cli/commands.h"
#include "harness/stress/copies.h"
#include "harness/stress/stress.h"

enum {
    OPTION_ROUNDS = 256,
    OPTION_POLICY,
    OPTION_UNTIL_FAILURE,
    OPTION_ISOLATE,
    OPTION_TIMEOUT,
    OPTION_KEEP,
    OPTION_JSON,
    OPTION_PYTEST,
    ROUNDS_MAX = 1000000,
    SECONDS_DEFAULT = 600, /* under `soonest` a program may ask for ever for another number */
    SECONDS_MAX = 86400
};

static const struct argp_option options[] = {
    {"jobs", 'j', "N", 0, "Copies at a time (default: 4, at most 1000)", 0},
    {"rounds", OPTION_ROUNDS, "R", 0, "How often (default: 10)", 0},
    {"policy", OPTION_POLICY, "POLICY", 0,
     "Which ports they get (see run); several, by repeating it, side by side. Of seeded:N each "
     "round has the next N (default: kernel)",
     0},
    {"until-failure", OPTION_UNTIL_FAILURE, NULL, 0, "Stop after the first round that fails", 0},
    {"isolate", OPTION_ISOLATE, NULL, 0,
     "Do it again with a network namespace for each copy: failures that go away are port races", 0},
    {"timeout", OPTION_TIMEOUT, "SECONDS", 0,
     "End a copy that takes longer, which is a failure (default: 600)", 0},
    {"keep", OPTION_KEEP, "DIR", 0,
     "Keep output and traces of failing rounds there (default: a new folder "
     "portwitness-stress-PID)",
     0},
    {"pytest", OPTION_PYTEST, NULL, 0, "Let pytest load its plugin, which says how tests ended", 0},
    {"json", OPTION_JSON, NULL, 0, "One JSON object instead of the table", 0},
    {0}};

static bool take_policy(struct stress_options *stress, const struct option_value *value) {
    char problem[256];
    if (stress->policy_count == STRESS_POLICIES_MAX)
        return option_wrong(value, "more than %d policies", STRESS_POLICIES_MAX);
    return policy_option_parse(value->text, &stress->policies[stress->policy_count++], problem,
                               sizeof problem) ||
           option_wrong(value, "%s", problem);
}

static bool take(void *into, const struct option_value *value) {
    struct stress_options *stress = into;
    switch (value->key) {
    case 'j':
        return option_unsigned(value, 1, STRESS_COPIES_MAX, &stress->copies);
    case OPTION_ROUNDS:
        return option_unsigned(value, 1, ROUNDS_MAX, &stress->rounds);
    case OPTION_POLICY:
        return take_policy(stress, value);
    case OPTION_UNTIL_FAILURE:
        return stress->until_failure = true;
    case OPTION_ISOLATE:
        return stress->isolate = true;
    case OPTION_TIMEOUT:
        return option_unsigned(value, 1, SECONDS_MAX, &stress->timeout_seconds);
    case OPTION_KEEP:
        stress->keep = value->text;
        return *value->text != '\0' || option_wrong(value, "must not be empty");
    case OPTION_PYTEST:
        return stress->pytest = true;
    default:
        return stress->json = true;
    }
}

static int run(int argc, char **argv) {
    struct stress_options parsed = {.copies = 4, .rounds = 10, .timeout_seconds = SECONDS_DEFAULT};
    char problem[64];
    int status;
    if (argc > 1 && strcmp(argv[1], COPIES_ARGUMENT) == 0)
        return copies_main(argc - 2, argv + 2);
    if (!options_parse(&stress_command, argc, argv, &parsed, &parsed.command, &status))
        return status;
    if (parsed.command[0] == NULL)
        return usage_error(&stress_command, "missing operand: COMMAND");
    if (parsed.policy_count == 0)
        (void)policy_option_parse("kernel", &parsed.policies[parsed.policy_count++], problem,
                                  sizeof problem);
    return stress(&parsed);
}

const struct command stress_command = {
    .name = "stress",
    .summary = "Runs copies of a command under policies and compares them",
    .operands = "[--] COMMAND [ARGUMENT...]",
    .about = "Runs copies of a command at the same time, round after round, each round recorded, "
             "and reports what failed and which ports were raced for. Options end at the first "
             "word that is not an option, or at --.",
    .notes = "Each copy finds its number in PORTWITNESS_COPY; its output goes to a file. The exit "
             "status is 0 where all went well, 1 where a copy failed or an error was found, 2 for "
             "wrong usage, 125 if portwitness itself failed, 130 after Ctrl-C.",
    .examples = {"stress --policy soonest -- pytest -q",
                 "stress -j 8 --until-failure --isolate -- make check"},
    .runs_program = true,
    .wrong_usage = STATUS_USAGE,
    .options = options,
    .take = take,
    .run = run};
