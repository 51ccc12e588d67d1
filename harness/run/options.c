/*
 * Reading the command line of `run`. Options end at the first word that is none, so that the
 * command's own options are left alone even without `--`.
 */
#include "harness/run/options.h"

#include <errno.h>
#include <grp.h>
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shim/trace_format.h"

const char run_options_help[] =
    "Usage: portwitness run [OPTION...] -- COMMAND [ARGUMENT...]\n"
    "Runs a command and records each port that it and its children ask for and get.\n"
    "\n"
    "  -o, --output=TRACE    the trace to make (default: a new one in the current folder)\n"
    "  -q, --quiet           no summary on stderr\n"
    "      --wait            wait for programs that outlive the command\n"
    "      --no-follow       leave programs alone that are given another environment\n"
    "      --shared[=GROUP|MODE]\n"
    "                        let other users that the command changes to write to the trace:\n"
    "                        everybody, one group, or as an octal mode says\n"
    "      --max-size=SIZE   of the trace, for example 512M (default 4G)\n"
    "      --host-id=ID      stands in the trace to tell hosts apart\n"
    "  -h, --help            this text\n"
    "\n"
    "The exit status is the command's; 128+N if signal N ended it; 127 if it was not found, 126 "
    "if\n"
    "it could not be executed; 125 if portwitness itself failed.\n";

enum { OPTION_SHARED = 1, OPTION_MAX_SIZE, OPTION_FOLLOW };

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

static bool take_option(struct run_options *options, int option, const char *value) {
    const char *problem;
    switch (option) {
    case OPTION_SHARED:
        problem = run_options_shared(value, &options->mode, &options->group);
        return problem == NULL || complain("--shared", value, problem);
    case OPTION_MAX_SIZE:
        if (!run_options_size(value, &options->max_size))
            return complain("--max-size", value, "is no size (such as 512M)");
        return options->max_size >= PW_MIN_MAX_SIZE || complain("--max-size", value, "is below 2M");
    case OPTION_FOLLOW:
        options->follow = false;
        return true;
    default:
        return true;
    }
}

static bool take_command(struct run_options *options, poptContext context) {
    const char **arguments = poptGetArgs(context);
    size_t count = 0;
    while (arguments != NULL && arguments[count] != NULL)
        count++;
    if (count == 0)
        return complain("COMMAND", NULL, "is missing (portwitness run --help)");
    options->command = calloc(count + 1, sizeof *options->command);
    if (options->command == NULL)
        return complain("COMMAND", NULL, strerror(errno));
    for (size_t i = 0; i < count; i++) {
        options->command[i] = strdup(arguments[i]);
        if (options->command[i] == NULL)
            return complain("COMMAND", NULL, strerror(errno));
    }
    return true;
}

static bool check_host_id(const struct run_options *options) {
    if (options->host_id == NULL)
        return true;
    size_t most = sizeof((struct pw_header *)0)->host_id - 1;
    return strlen(options->host_id) <= most ||
           complain("--host-id", options->host_id, "is longer than 63 bytes");
}

bool run_options_parse(struct run_options *options, int argc, char **argv) {
    int quiet = 0;
    int wait = 0;
    int help = 0;
    *options = (struct run_options){.group = (gid_t)-1, .follow = true};
    const struct poptOption table[] = {
        {"output", 'o', POPT_ARG_STRING, &options->trace, 0, NULL, NULL},
        {"quiet", 'q', POPT_ARG_NONE, &quiet, 0, NULL, NULL},
        {"wait", '\0', POPT_ARG_NONE, &wait, 0, NULL, NULL},
        {"no-follow", '\0', POPT_ARG_NONE, NULL, OPTION_FOLLOW, NULL, NULL},
        {"shared", '\0', POPT_ARG_STRING | POPT_ARGFLAG_OPTIONAL, NULL, OPTION_SHARED, NULL, NULL},
        {"max-size", '\0', POPT_ARG_STRING, NULL, OPTION_MAX_SIZE, NULL, NULL},
        {"host-id", '\0', POPT_ARG_STRING, &options->host_id, 0, NULL, NULL},
        {"help", 'h', POPT_ARG_NONE, &help, 0, NULL, NULL},
        POPT_TABLEEND};
    poptContext context =
        poptGetContext("run", argc, (const char **)argv, table, POPT_CONTEXT_POSIXMEHARDER);
    bool good = true;
    int option;
    while (good && (option = poptGetNextOpt(context)) >= 0) {
        char *value = poptGetOptArg(context);
        good = take_option(options, option, value);
        free(value);
    }
    if (good && option < -1)
        good = complain(poptBadOption(context, POPT_BADOPTION_NOALIAS), NULL, poptStrerror(option));
    options->quiet = quiet != 0;
    options->wait = wait != 0;
    options->help = help != 0;
    if (good && !options->help)
        good = check_host_id(options) && take_command(options, context);
    poptFreeContext(context);
    return good;
}

void run_options_free(struct run_options *options) {
    free(options->trace);
    free(options->host_id);
    for (char **word = options->command; word != NULL && *word != NULL; word++)
        free(*word);
    free(options->command);
}
