/* The subcommands that read traces differ in their options, and not in how those are told wrong. */
#include "harness/cli/arguments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/base/message.h"
#include "harness/base/output.h"
#include "harness/cli/commands.h"
#include "harness/trace/same_trace.h"

enum { OPTION_HELP = 'h' };

static int help_status(poptContext context, const char *explanation) {
    poptPrintHelp(context, stdout, 0);
    fputs(explanation, stdout);
    return output_finish() ? 0 : 1;
}

static void tell_same(void *with, const char *left_out, const char *same_as) {
    (void)with;
    message_write(stderr, "portwitness: %s: same trace as %s; read once", left_out, same_as);
}

bool arguments_parse(struct arguments *arguments, int argc, char **argv,
                     const struct poptOption *table, const char *explanation, int *status) {
    const struct poptOption all[] = {
        {NULL, '\0', POPT_ARG_INCLUDE_TABLE, (void *)table, 0, NULL, NULL},
        {"help", 'h', POPT_ARG_NONE, NULL, OPTION_HELP, "Show this help and stop", NULL},
        POPT_TABLEEND};
    bool help = false;
    int got;

    /* popt names the program in its help by argv[0]. */
    snprintf(arguments->title, sizeof arguments->title, "portwitness %s", argv[0]);
    argv[0] = arguments->title;
    arguments->context = poptGetContext("portwitness", argc, (const char **)argv, all, 0);
    poptSetOtherOptionHelp(arguments->context, "[OPTIONS] TRACE...");
    while ((got = poptGetNextOpt(arguments->context)) > 0) {
        help = help || got == OPTION_HELP;
        if (got < ARGUMENTS_VALUES) {
            free(arguments->values[got]);
            arguments->values[got] = poptGetOptArg(arguments->context);
        }
    }
    const char **named = poptGetArgs(arguments->context);
    *status = STATUS_USAGE;
    if (got < -1)
        message_write(stderr, "%s: %s: %s", argv[0],
                      poptBadOption(arguments->context, POPT_BADOPTION_NOALIAS), poptStrerror(got));
    else if (help)
        *status = help_status(arguments->context, explanation);
    else if (named == NULL)
        fprintf(stderr, "%s: no trace named; see %s --help\n", argv[0], argv[0]);
    else {
        arguments->traces = same_trace_once(named, tell_same, NULL);
        *status = 0;
        return true;
    }
    arguments_free(arguments);
    return false;
}

/* strtol takes blanks and signs before a number. */
static bool is_number(const char *text, long low, long high, long *number) {
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *number = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' && *number >= low && *number <= high;
}

bool arguments_number(const struct arguments *arguments, int index, const char *option, long low,
                      long high, long *number) {
    const char *text = arguments->values[index];

    *number = -1;
    if (text == NULL || is_number(text, low, high, number))
        return true;
    message_write(stderr, "%s: --%s=%s: is no number from %ld to %ld", arguments->title, option,
                  text, low, high);
    return false;
}

void arguments_free(struct arguments *arguments) {
    for (unsigned i = 0; i < ARGUMENTS_VALUES; i++)
        free(arguments->values[i]);
    free(arguments->traces);
    poptFreeContext(arguments->context);
}
