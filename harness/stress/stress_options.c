/* Reading the command line of `stress`; it ends at the first word that is no option, as that of
 * `run` does. */
#include "harness/stress/stress_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char stress_options_help[] =
    "Usage: portwitness stress [OPTION...] -- COMMAND [ARGUMENT...]\n"
    "Runs copies of a command at the same time, round after round, under portwitness run, and "
    "tells "
    "what\n"
    "failed and which ports were raced for.\n"
    "\n"
    "  -j, --jobs=N          copies at a time (default 4, at most 1000)\n"
    "      --rounds=R        how often (default 10)\n"
    "      --policy=POLICY   which ports they get (see run); several, by repeating it, side by "
    "side.\n"
    "                        Of seeded:N each round has the next N (default kernel)\n"
    "      --until-failure   stop after the first round that fails\n"
    "      --isolate         do it again with a network namespace for each copy: failures that go\n"
    "                        away are port races\n"
    "      --timeout=SECONDS end a copy that takes longer, which is a failure (default 600)\n"
    "      --keep=DIR        keep output and traces of failing rounds there (default a new folder\n"
    "                        portwitness-stress-PID)\n"
    "      --json            one JSON object instead of the table\n"
    "  -h, --help            this text\n"
    "\n"
    "Each copy finds its number in PORTWITNESS_COPY; its output goes to a file. The exit status is "
    "0\n"
    "where all went well, 1 where a copy failed or an error was found, 2 for wrong usage, 125 if\n"
    "portwitness itself failed, 130 after Ctrl-C.\n";

enum {
    OPTION_ROUNDS = 256,
    OPTION_POLICY,
    OPTION_UNTIL_FAILURE,
    OPTION_ISOLATE,
    OPTION_TIMEOUT,
    OPTION_KEEP,
    OPTION_JSON,
    ROUNDS_MAX = 1000000,
    SECONDS_DEFAULT = 600, /* under `soonest` a program may ask for ever for another number */
    SECONDS_MAX = 86400
};

static bool complain(const char *option, const char *value, const char *what) {
    fprintf(stderr, "portwitness: stress: %s%s%s: %s\n", option, value != NULL ? "=" : "",
            value != NULL ? value : "", what);
    return false;
}

static bool take_number(const char *option, const char *value, unsigned most, unsigned *number) {
    char *end;
    char what[64];
    unsigned long read = *value >= '0' && *value <= '9' ? strtoul(value, &end, 10) : 0;
    *number = (unsigned)read;
    if (read >= 1 && read <= most && *end == '\0')
        return true;
    snprintf(what, sizeof what, "is no number from 1 to %u", most);
    return complain(option, value, what);
}

static bool take_policy(struct stress_options *options, const char *value) {
    char problem[256];
    if (options->policy_count == STRESS_POLICIES_MAX)
        return complain("--policy", value, "is one too many (16)");
    return policy_option_parse(value, &options->policies[options->policy_count++], problem,
                               sizeof problem) ||
           complain("--policy", value, problem);
}

static bool take_keep(struct stress_options *options, const char *value) {
    options->keep = value;
    return *value != '\0' || complain("--keep", value, "is no name");
}

static bool take_option(struct stress_options *options, int option, const char *value) {
    switch (option) {
    case 'j':
        return take_number("--jobs", value, STRESS_COPIES_MAX, &options->copies);
    case OPTION_ROUNDS:
        return take_number("--rounds", value, ROUNDS_MAX, &options->rounds);
    case OPTION_TIMEOUT:
        return take_number("--timeout", value, SECONDS_MAX, &options->timeout_seconds);
    case OPTION_POLICY:
        return take_policy(options, value);
    case OPTION_KEEP:
        return take_keep(options, value);
    case OPTION_UNTIL_FAILURE:
        return options->until_failure = true;
    case OPTION_ISOLATE:
        return options->isolate = true;
    case OPTION_JSON:
        return options->json = true;
    default:
        return options->help = true;
    }
}

static bool refuse(char *const argv[], int answer) {
    const char *word = argv[optind - 1];
    bool is_long = strncmp(word, "--", 2) == 0;
    char letter[3] = {'-', (char)optopt, '\0'};
    return complain(is_long ? word : letter, NULL,
                    answer == ':' ? "needs a value"
                    : is_long && optopt != 0
                        ? "takes no value"
                        : "is no option of stress (portwitness stress --help)");
}

bool stress_options_parse(struct stress_options *options, int argc, char **argv) {
    static const struct option table[] = {
        {"jobs", required_argument, NULL, 'j'},
        {"rounds", required_argument, NULL, OPTION_ROUNDS},
        {"policy", required_argument, NULL, OPTION_POLICY},
        {"until-failure", no_argument, NULL, OPTION_UNTIL_FAILURE},
        {"isolate", no_argument, NULL, OPTION_ISOLATE},
        {"timeout", required_argument, NULL, OPTION_TIMEOUT},
        {"keep", required_argument, NULL, OPTION_KEEP},
        {"json", no_argument, NULL, OPTION_JSON},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    *options =
        (struct stress_options){.copies = 4, .rounds = 10, .timeout_seconds = SECONDS_DEFAULT};
    optind = 0; /* begin anew, getopt(3) */
    int option;
    while ((option = getopt_long(argc, argv, "+:j:h", table, NULL)) != -1) {
        if (option == '?' || option == ':')
            return refuse(argv, option);
        if (!take_option(options, option, optarg))
            return false;
    }
    if (options->policy_count == 0 && !take_policy(options, "kernel"))
        return false;
    options->command = argv + optind;
    return options->help || optind < argc ||
           complain("COMMAND", NULL, "is missing (portwitness stress --help)");
}
