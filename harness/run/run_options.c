/*
 * Reading the command line of `run`. Options end at the first word that is none, so that the
 * command's own options are left alone even without `--`. getopt_long, since popt would take the
 * word behind a lone --shared for its value.
 */
#include "harness/run/run_options.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shim/shared/trace_format.h"

const char run_options_help[] =
    "Usage: portwitness run [OPTION...] -- COMMAND [ARGUMENT...]\n"
    "Runs a command and records each port that it and its children ask for and get.\n"
    "\n"
    "  -o, --output=TRACE    the trace to make, no existing file (default: a new one in the "
    "current\n"
    "                        folder)\n"
    "  -q, --quiet           no summary on stderr; a name made up for the trace is told\n"
    "      --check           look for port races and other trouble when the command has ended\n"
    "      --policy=POLICY   which ports the command gets: kernel (default), soonest,\n"
    "                        quarantine[:SECONDS], seeded:N, range:LOW-HIGH, or one of them and a\n"
    "                        range behind a comma\n"
    "      --stacks[=N]      record up to N return addresses with each call (default and most: "
    "16)\n"
    "      --wait            wait for programs that outlive the command\n"
    "      --no-follow       leave programs alone that are given another environment\n"
    "      --shared[=GROUP|MODE]\n"
    "                        let other users that the command changes to write to the trace:\n"
    "                        everybody, one group, or as an octal mode says\n"
    "      --max-size=SIZE   of the trace, for example 512M (default 4G)\n"
    "      --host-id=ID      stands in the trace to tell hosts apart\n"
    "  -h, --help            this text\n"
    "\n"
    "With --check it is 1 where the command's is 0 and an error was found. The exit status is the "
    "command's; 128+N if signal N ended it; 127 if it was not found, 126 "
    "if\n"
    "it could not be executed; 125 if portwitness itself failed. The last line on stderr names "
    "the\n"
    "trace.\n";

enum {
    OPTION_SHARED = 256,
    OPTION_MAX_SIZE,
    OPTION_NO_FOLLOW,
    OPTION_WAIT,
    OPTION_HOST_ID,
    OPTION_CHECK,
    OPTION_STACKS,
    OPTION_POLICY
};

bool run_options_size(const char *text, uint64_t *bytes) {
    static const char *const units[] = {"", "K", "M", "G", "T"};
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0)
        return false;
    for (unsigned i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t length = strlen(units[i]);
        if (strncasecmp(end, units[i], length) != 0)
            continue;
        const char *rest = end + length;
        if (*rest != '\0' &&
            (length == 0 || (strcasecmp(rest, "iB") != 0 && strcasecmp(rest, "B") != 0)))
            continue;
        if (number > UINT64_MAX >> (10 * i))
            return false;
        *bytes = (uint64_t)number << (10 * i);
        return true;
    }
    return false;
}

const char *run_options_shared(const char *text, unsigned *mode, gid_t *group) {
    *group = (gid_t)-1;
    *mode = 0666;
    if (text == NULL)
        return NULL;
    if (*text >= '0' && *text <= '9') {
        char *end;
        unsigned long number = strtoul(text, &end, 8);
        if (*end != '\0')
            return "is no octal mode";
        if ((number & ~0666UL) != 0 || (number & 0600) != 0600)
            return "must let the owner read and write, and nobody execute";
        *mode = (unsigned)number;
        return NULL;
    }
    const struct group *entry = getgrnam(text);
    if (entry == NULL)
        return "is neither a group nor an octal mode";
    *group = entry->gr_gid;
    *mode = 0660;
    return NULL;
}

static bool complain(const char *option, const char *value, const char *what) {
    fprintf(stderr, "portwitness: run: %s%s%s: %s\n", option, value != NULL ? "=" : "",
            value != NULL ? value : "", what);
    return false;
}

static bool take_shared(struct run_options *options, const char *value) {
    const char *problem = run_options_shared(value, &options->mode, &options->group);
    return problem == NULL || complain("--shared", value, problem);
}

static bool take_max_size(struct run_options *options, const char *value) {
    if (!run_options_size(value, &options->max_size))
        return complain("--max-size", value, "is no size (such as 512M)");
    return options->max_size >= PW_MIN_MAX_SIZE || complain("--max-size", value, "is below 2M");
}

static bool take_host_id(struct run_options *options, const char *value) {
    options->host_id = value;
    return strlen(value) < sizeof((struct pw_header *)0)->host_id ||
           complain("--host-id", value, "is longer than 63 bytes");
}

static bool take_stacks(struct run_options *options, const char *value) {
    char *end;
    options->stacks = PW_STACK_MAX;
    if (value == NULL)
        return true;
    unsigned long number = *value >= '0' && *value <= '9' ? strtoul(value, &end, 10) : 0;
    if (number < 1 || number > PW_STACK_MAX || *end != '\0')
        return complain("--stacks", value, "is no number from 1 to 16");
    options->stacks = (unsigned)number;
    return true;
}

static bool take_policy(struct run_options *options, const char *value) {
    char problem[256];
    options->bad_policy = !policy_option_parse(value, &options->policy, problem, sizeof problem);
    return !options->bad_policy || complain("--policy", value, problem);
}

static bool take_option(struct run_options *options, int option, const char *value) {
    switch (option) {
    case 'o':
        options->trace = value;
        return *value != '\0' || complain("--output", value, "is no name");
    case 'q':
        options->quiet = true;
        return true;
    case 'h':
        options->help = true;
        return true;
    case OPTION_CHECK:
        options->check = true;
        return true;
    case OPTION_STACKS:
        return take_stacks(options, value);
    case OPTION_POLICY:
        return take_policy(options, value);
    case OPTION_WAIT:
        options->wait = true;
        return true;
    case OPTION_NO_FOLLOW:
        options->follow = false;
        return true;
    case OPTION_SHARED:
        return take_shared(options, value);
    case OPTION_MAX_SIZE:
        return take_max_size(options, value);
    case OPTION_HOST_ID:
        return take_host_id(options, value);
    default:
        return false;
    }
}

/* The word that getopt_long stopped at: it has gone past a word that it has finished with. */
static bool refuse(char *const argv[], int answer) {
    const char *word = argv[optind - 1];
    bool is_long = strncmp(word, "--", 2) == 0;
    char letter[3] = {'-', (char)optopt, '\0'};
    return complain(is_long ? word : letter, NULL,
                    answer == ':'            ? "needs a value"
                    : is_long && optopt != 0 ? "takes no value"
                                             : "is no option of run (portwitness run --help)");
}

bool run_options_parse(struct run_options *options, int argc, char **argv) {
    static const struct option table[] = {
        {"output", required_argument, NULL, 'o'},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {"check", no_argument, NULL, OPTION_CHECK},
        {"stacks", optional_argument, NULL, OPTION_STACKS},
        {"policy", required_argument, NULL, OPTION_POLICY},
        {"wait", no_argument, NULL, OPTION_WAIT},
        {"no-follow", no_argument, NULL, OPTION_NO_FOLLOW},
        {"shared", optional_argument, NULL, OPTION_SHARED},
        {"max-size", required_argument, NULL, OPTION_MAX_SIZE},
        {"host-id", required_argument, NULL, OPTION_HOST_ID},
        {NULL, 0, NULL, 0},
    };
    *options = (struct run_options){
        .group = (gid_t)-1, .follow = true, .questions = PW_QUESTIONS, .policy.text = "kernel"};
    optind = 0; /* begin anew, getopt(3) */
    int option;
    while ((option = getopt_long(argc, argv, "+:o:qh", table, NULL)) != -1) {
        if (option == '?' || option == ':')
            return refuse(argv, option);
        if (!take_option(options, option, optarg))
            return false;
    }
    options->command = argv + optind;
    return options->help || optind < argc ||
           complain("COMMAND", NULL, "is missing (portwitness run --help)");
}
