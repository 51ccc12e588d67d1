/* portwitness storm: parallel simulated port publishers, and four checks of what they came by. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/base/number.h"
#include "harness/base/statuses.h"
#include "harness/cli/commands.h"
#include "harness/kind/release.h"
#include "harness/storm/pool.h"
#include "harness/storm/publisher_process.h"
#include "harness/storm/storm.h"
#include "harness/storm/strategies/strategy.h"

enum { ROUNDS_MAX = 1000000, BACKGROUND_MAX = 1000 };

enum {
    OPTION_PUBLISHERS = 256,
    OPTION_ROUNDS,
    OPTION_STRATEGY,
    OPTION_WINDOW,
    OPTION_DAEMONS,
    OPTION_KIND_VERSION,
    OPTION_REUSE_ADDRESS,
    OPTION_REUSE_PORT,
    OPTION_BACKGROUND,
    OPTION_SEED,
    OPTION_POLICY,
    OPTION_PRIVATE_NET,
    OPTION_JSON
};

static const struct argp_option options[] = {
    {"publishers", OPTION_PUBLISHERS, "N", 0, "How many (default: 32, at most 4000)", 0},
    {"rounds", OPTION_ROUNDS, "R", 0, "How often (default: 10)", 0},
    {"strategy", OPTION_STRATEGY, "S", 0,
     "How a mapping becomes a host port; several, by repeating it or with commas, are compared "
     "side by side (default: hold)",
     0},
    {"window", OPTION_WINDOW, "MIN-MAX", 0,
     "Time between choosing and binding, drawn at random: milliseconds, or with a unit, as 0-2ms, "
     "500us-1s (default: the strategy's own)",
     0},
    {"daemons", OPTION_DAEMONS, "K", 0,
     "docker: daemons that know nothing of each other (default: 1)", 0},
    {"kind-version", OPTION_KIND_VERSION, "vX.Y.Z", 0,
     "kind: before v0.22 each probe is closed at once", 0},
    {"reuse-address", OPTION_REUSE_ADDRESS, NULL, 0, "Sockets set SO_REUSEADDR", 0},
    {"reuse-port", OPTION_REUSE_PORT, NULL, 0, "Sockets set SO_REUSEPORT", 0},
    {"background", OPTION_BACKGROUND, "N", 0,
     "Processes that open connections and take source ports (default: 0)", 0},
    {"seed", OPTION_SEED, "N", 0, "Of the random numbers for the windows (default: the clock)", 0},
    {"policy", OPTION_POLICY, "POLICY", 0,
     "Which ports the publishers are given: kernel (default), soonest, quarantine[:SECONDS], "
     "seeded:N, range:LOW-HIGH; see portwitness-run(1)",
     0},
    {"private-net", OPTION_PRIVATE_NET, "LO-HI", OPTION_ARG_OPTIONAL,
     "In a network namespace of its own, with that local port range", 0},
    {"output", 'o', "TRACE", 0, "Keep the trace in this file", 0},
    {"json", OPTION_JSON, NULL, 0, "One JSON object instead of the table", 0},
    {0}};

/* Milliseconds, or with a unit. What follows is left at *end. */
static bool read_time(const char *text, char **end, uint64_t *ns) {
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    if (*text < '0' || *text > '9')
        return false;
    double value = strtod(text, end);
    double scale = 1e6;
    for (unsigned i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t length = strlen(units[i].name);
        if (strncmp(*end, units[i].name, length) != 0)
            continue;
        scale = units[i].ns;
        *end += length;
        break;
    }
    value *= scale;
    if (value < 0 || value > 3600e9)
        return false;
    *ns = (uint64_t)value;
    return true;
}

static bool take_window(struct storm_options *storm, const struct option_value *value) {
    char *end;
    bool good = read_time(value->text, &end, &storm->window_min_ns);
    if (good && *end == '\0')
        storm->window_max_ns = storm->window_min_ns;
    else
        good = good && *end == '-' && read_time(end + 1, &end, &storm->window_max_ns) &&
               *end == '\0' && storm->window_min_ns <= storm->window_max_ns;
    storm->window_given = true;
    return good || option_wrong(value, "must be MIN-MAX, as 0-2ms, up to an hour");
}

static bool take_strategies(struct storm_options *storm, const struct option_value *value) {
    const char *text = value->text;
    while (*text != '\0') {
        char name[64];
        size_t length = strcspn(text, ",");
        snprintf(name, sizeof name, "%.*s", (int)length, text);
        int index = strategy_find(name);
        if (index < 0)
            return option_wrong(value, "no such strategy; see portwitness storm --help");
        if (storm->strategy_count == STORM_STRATEGIES_MAX)
            return option_wrong(value, "more than %d strategies", STORM_STRATEGIES_MAX);
        storm->strategies[storm->strategy_count++] = index;
        text += length + (text[length] == ',');
    }
    return true;
}

static bool take_version(struct storm_options *storm, const struct option_value *value) {
    struct kind_release release;
    if (!kind_release_read(value->text, &release))
        return option_wrong(value, "must be vX.Y.Z, from v0.6.0 on");
    storm->probes_closed_at_once = !kind_release_keeps_probes(&release);
    return true;
}

static bool take_private(struct storm_options *storm, const struct option_value *value) {
    storm->private_net = true;
    return value->text == NULL ||
           read_port_range(value->text, &storm->range_low, &storm->range_high) ||
           option_wrong(value, "must be LO-HI, from 1 to 65535");
}

static bool take_policy(struct storm_options *storm, const struct option_value *value) {
    char problem[256];
    if (!policy_option_parse(value->text, &storm->policy, problem, sizeof problem))
        return option_wrong(value, "%s", problem);
    return storm->policy.config.kind != PW_POLICY_KEEP ||
           option_wrong(value, "may not be keep, which `run` alone has");
}

static bool take(void *into, const struct option_value *value) {
    struct storm_options *storm = into;
    switch (value->key) {
    case OPTION_PUBLISHERS:
        return option_unsigned(value, 1, PUBLISHERS_MAX, &storm->publishers);
    case OPTION_ROUNDS:
        return option_unsigned(value, 1, ROUNDS_MAX, &storm->rounds);
    case OPTION_STRATEGY:
        return take_strategies(storm, value);
    case OPTION_WINDOW:
        return take_window(storm, value);
    case OPTION_DAEMONS:
        return option_unsigned(value, 1, DAEMONS_MAX, &storm->daemons);
    case OPTION_KIND_VERSION:
        return take_version(storm, value);
    case OPTION_REUSE_ADDRESS:
        return storm->reuse_address = true;
    case OPTION_REUSE_PORT:
        return storm->reuse_port = true;
    case OPTION_BACKGROUND:
        return option_unsigned(value, 0, BACKGROUND_MAX, &storm->background);
    case OPTION_SEED:
        return option_number(value, 0, UINT64_MAX, &storm->seed);
    case OPTION_POLICY:
        return take_policy(storm, value);
    case OPTION_PRIVATE_NET:
        return take_private(storm, value);
    case OPTION_JSON:
        return storm->json = true;
    default:
        storm->trace = value->text;
        return *value->text != '\0' || option_wrong(value, "must not be empty");
    }
}

static void list_strategies(FILE *to) {
    fputs("\nStrategies:\n", to);
    for (const struct strategy *strategy = strategies; strategy->name != NULL; strategy++)
        if (!strategy->for_tests)
            fprintf(to, "  %-8s  %s\n", strategy->name, strategy->description);
}

static uint64_t seed_of_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000003u ^ (uint64_t)now.tv_nsec;
}

static int run(int argc, char **argv) {
    struct storm_options parsed = {.publishers = 32,
                                   .rounds = 10,
                                   .daemons = 1,
                                   .policy.text = "kernel",
                                   .seed = seed_of_clock()};
    char **files;
    int status;
    if (argc > 1 && strcmp(argv[1], PUBLISHER_ARGUMENT) == 0)
        return publisher_main(argc - 2, argv + 2);
    if (!options_parse(&storm_command, argc, argv, &parsed, &files, &status))
        return status;
    if (files[0] != NULL && files[1] != NULL)
        return usage_error(&storm_command, "extra operand '%s': one file at most", files[1]);
    parsed.file = files[0];
    if (parsed.strategy_count == 0)
        parsed.strategies[parsed.strategy_count++] = strategy_find("hold");
    return storm(&parsed);
}

const struct command storm_command = {
    .name = "storm",
    .summary = "Simulates parallel publishers and checks what ports they got",
    .operands = "[CLUSTER.yaml]",
    .about = "Starts publishers, each a recorded process of its own, that publish all port "
             "mappings of the file at the same time, and checks in four ways what ports they got.",
    .notes = "Exit status: 0 nothing collided or was lost, 1 something was, 2 bad input, 125 "
             "portwitness itself failed, 130 after Ctrl-C.",
    .more = list_strategies,
    .examples = {"storm --private-net=20000-20255 --strategy hold,kind",
                 "storm --publishers 100 --rounds 50 --json cluster.yaml"},
    .wrong_usage = STATUS_USAGE,
    .options = options,
    .take = take,
    .run = run};
