/* getopt_long rather than popt: `--private-net` takes its value with "=" or not at all, and must
 * not swallow the name of the file behind it. */
#include "harness/cli/storm_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/base/output.h"
#include "harness/cli/commands.h"
#include "harness/kind/release.h"
#include "harness/storm/strategies/strategy.h"
#include "harness/system/network.h"

enum { ROUNDS_MAX = 1000000, BACKGROUND_MAX = 1000 };

enum {
    OPTION_PUBLISHERS = 256,
    OPTION_ROUNDS,
    OPTION_STRATEGY,
    OPTION_WINDOW,
    OPTION_BACKGROUND,
    OPTION_SEED,
    OPTION_PRIVATE_NET,
    OPTION_JSON,
    OPTION_DAEMONS,
    OPTION_KIND_VERSION,
    OPTION_REUSE_ADDRESS,
    OPTION_REUSE_PORT,
    OPTION_POLICY
};

static const struct option table[] = {
    {"publishers", required_argument, NULL, OPTION_PUBLISHERS},
    {"rounds", required_argument, NULL, OPTION_ROUNDS},
    {"strategy", required_argument, NULL, OPTION_STRATEGY},
    {"window", required_argument, NULL, OPTION_WINDOW},
    {"background", required_argument, NULL, OPTION_BACKGROUND},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"policy", required_argument, NULL, OPTION_POLICY},
    {"private-net", optional_argument, NULL, OPTION_PRIVATE_NET},
    {"output", required_argument, NULL, 'o'},
    {"json", no_argument, NULL, OPTION_JSON},
    {"daemons", required_argument, NULL, OPTION_DAEMONS},
    {"kind-version", required_argument, NULL, OPTION_KIND_VERSION},
    {"reuse-address", no_argument, NULL, OPTION_REUSE_ADDRESS},
    {"reuse-port", no_argument, NULL, OPTION_REUSE_PORT},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0}};

static const char help[] =
    "Usage: portwitness storm [OPTIONS] [CLUSTER.yaml]\n"
    "\n"
    "Starts publishers, each a process of its own under portwitness run, that publish all port\n"
    "mappings of the file at the same time, and checks in four ways what they came by.\n"
    "\n"
    "  --publishers N        how many (default 32, at most 4000)\n"
    "  --rounds R            how often (default 10)\n"
    "  --strategy S          how a mapping becomes a host port; several, by repeating it or with\n"
    "                        commas, are compared side by side (default hold)\n"
    "  --window MIN-MAX      time between choosing and binding, drawn at random: milliseconds, or\n"
    "                        with a unit, as 0-2ms, 500us-1s (default: the strategy's own)\n"
    "  --daemons K           docker: daemons that know nothing of each other (default 1)\n"
    "  --kind-version V      kind: before v0.22 each probe is closed at once\n"
    "  --reuse-address       sockets set SO_REUSEADDR\n"
    "  --reuse-port          sockets set SO_REUSEPORT\n"
    "  --background N        processes that open connections and take source ports (default 0)\n"
    "  --seed N              of the windows' random numbers (default: the clock)\n"
    "  --policy POLICY       which ports the publishers are given: kernel (default), soonest,\n"
    "                        quarantine[:SECONDS], seeded:N, range:LOW-HIGH; see portwitness(1)\n"
    "  --private-net[=LO-HI] in a network namespace of its own, with that local port range\n"
    "  -o, --output TRACE    keep the trace in this file\n"
    "      --json            one JSON object instead of the table\n"
    "  -h, --help            show this help and stop\n"
    "\n"
    "Strategies:\n";

static const char help_end[] =
    "\n"
    "Exit status: 0 nothing collided or was lost, 1 something was, 2 bad input, 125 portwitness\n"
    "itself failed, 130 after Ctrl-C.\n";

static bool complain(const char *option, const char *value, const char *what) {
    fprintf(stderr, "portwitness storm: --%s=%s: %s\n", option, value, what);
    return false;
}

static bool read_number(const char *option, const char *text, uint64_t least, uint64_t most,
                        uint64_t *number) {
    char what[96];
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *number >= least &&
        *number <= most)
        return true;
    snprintf(what, sizeof what, "must be a number from %llu to %llu", (unsigned long long)least,
             (unsigned long long)most);
    return complain(option, text, what);
}

static bool read_small(const char *option, const char *text, uint32_t least, uint32_t most,
                       uint32_t *number) {
    uint64_t wide;
    if (!read_number(option, text, least, most, &wide))
        return false;
    *number = (uint32_t)wide;
    return true;
}

/* Milliseconds, or with a unit. What follows is left at *end. */
static bool read_time(const char *text, char **end, uint64_t *ns, const char **unit) {
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    if (*text < '0' || *text > '9')
        return false;
    double value = strtod(text, end);
    double scale = 0;
    *unit = NULL;
    for (unsigned i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t length = strlen(units[i].name);
        if (scale != 0 || strncmp(*end, units[i].name, length) != 0)
            continue;
        scale = units[i].ns;
        *unit = units[i].name;
        *end += length;
    }
    value *= scale != 0 ? scale : 1e6;
    if (value < 0 || value > 3600e9)
        return false;
    *ns = (uint64_t)value;
    return true;
}

static bool read_window(struct storm_options *options, const char *text) {
    char *end;
    const char *first;
    const char *second;
    bool good = read_time(text, &end, &options->window_min_ns, &first);
    if (good && *end == '\0')
        options->window_max_ns = options->window_min_ns;
    else
        good = good && *end == '-' && read_time(end + 1, &end, &options->window_max_ns, &second) &&
               *end == '\0' && options->window_min_ns <= options->window_max_ns;
    options->window_given = true;
    return good || complain("window", text, "must be MIN-MAX, as 0-2ms, up to an hour");
}

static bool add_strategies(struct storm_options *options, const char *text) {
    while (*text != '\0') {
        char name[64];
        size_t length = strcspn(text, ",");
        snprintf(name, sizeof name, "%.*s", (int)length, text);
        int index = strategy_find(name);
        if (index < 0 || options->strategy_count == STORM_STRATEGIES_MAX)
            return complain("strategy", text,
                            index < 0 ? "no such strategy; see portwitness storm --help"
                                      : "too many strategies");
        options->strategies[options->strategy_count++] = index;
        text += length + (text[length] == ',');
    }
    return true;
}

static bool read_version(struct storm_options *options, const char *text) {
    struct kind_release release;
    if (!kind_release_read(text, &release))
        return complain("kind-version", text, "must be vX.Y.Z, from v0.6.0 on");
    options->probes_closed_at_once = !kind_release_keeps_probes(&release);
    return true;
}

static bool read_private(struct storm_options *options, const char *text) {
    options->private_net = true;
    if (text == NULL || port_range_parse(text, &options->range_low, &options->range_high))
        return true;
    return complain("private-net", text, "must be LO-HI, from 1 to 65535");
}

static bool read_policy(struct storm_options *options, const char *text) {
    char problem[256];
    return policy_option_parse(text, &options->policy, problem, sizeof problem) ||
           complain("policy", text, problem);
}

static bool take(struct storm_options *options, int got) {
    switch (got) {
    case OPTION_PUBLISHERS:
        return read_small("publishers", optarg, 1, PUBLISHERS_MAX, &options->publishers);
    case OPTION_ROUNDS:
        return read_small("rounds", optarg, 1, ROUNDS_MAX, &options->rounds);
    case OPTION_STRATEGY:
        return add_strategies(options, optarg);
    case OPTION_WINDOW:
        return read_window(options, optarg);
    case OPTION_BACKGROUND:
        return read_small("background", optarg, 0, BACKGROUND_MAX, &options->background);
    case OPTION_SEED:
        return read_number("seed", optarg, 0, UINT64_MAX, &options->seed);
    case OPTION_POLICY:
        return read_policy(options, optarg);
    case OPTION_PRIVATE_NET:
        return read_private(options, optarg);
    case OPTION_DAEMONS:
        return read_small("daemons", optarg, 1, DAEMONS_MAX, &options->daemons);
    case OPTION_KIND_VERSION:
        return read_version(options, optarg);
    case OPTION_REUSE_ADDRESS:
        return options->reuse_address = true;
    case OPTION_REUSE_PORT:
        return options->reuse_port = true;
    case OPTION_JSON:
        return options->json = true;
    case 'o':
        options->trace = optarg;
        return true;
    default:
        return false; /* getopt_long has told what is wrong */
    }
}

static int show_help(void) {
    fputs(help, stdout);
    for (const struct strategy *strategy = strategies; strategy->name != NULL; strategy++)
        if (!strategy->for_tests)
            printf("  %-8s  %s\n", strategy->name, strategy->description);
    fputs(help_end, stdout);
    return output_finish() ? 0 : 1;
}

bool storm_options_parse(struct storm_options *options, int argc, char **argv, int *status) {
    static char title[] = "portwitness storm";
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *options =
        (struct storm_options){.publishers = 32,
                               .rounds = 10,
                               .daemons = 1,
                               .policy.text = "kernel",
                               .seed = (uint64_t)now.tv_sec * 1000003u ^ (uint64_t)now.tv_nsec};
    *status = STATUS_USAGE;
    argv[0] = title;
    optind = 1;
    int got;
    while ((got = getopt_long(argc, argv, "o:h", table, NULL)) != -1) {
        if (got == 'h') {
            *status = show_help();
            return false;
        }
        if (!take(options, got))
            return false;
    }
    if (argc - optind > 1) {
        fprintf(stderr, "%s: one file at most, not '%s' as well\n", title, argv[optind + 1]);
        return false;
    }
    options->file = argv[optind];
    if (options->strategy_count == 0)
        options->strategies[options->strategy_count++] = strategy_find("hold");
    return true;
}
