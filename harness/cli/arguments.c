/* The subcommands that read traces differ in their options, and not in how those are told wrong. */
#include "harness/cli/arguments.h"

#include <stdio.h>

#include "harness/cli/commands.h"
#include "harness/report/output.h"

enum { OPTION_HELP = 'h' };

static int help_status(poptContext context, const char *explanation) {
    poptPrintHelp(context, stdout, 0);
    fputs(explanation, stdout);
    return output_finish() ? 0 : 1;
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
    while ((got = poptGetNextOpt(arguments->context)) > 0)
        help = help || got == OPTION_HELP;
    arguments->traces = poptGetArgs(arguments->context);
    *status = STATUS_USAGE;
    if (got < -1)
        fprintf(stderr, "%s: %s: %s\n", argv[0],
                poptBadOption(arguments->context, POPT_BADOPTION_NOALIAS), poptStrerror(got));
    else if (help)
        *status = help_status(arguments->context, explanation);
    else if (arguments->traces == NULL)
        fprintf(stderr, "%s: no trace named; see %s --help\n", argv[0], argv[0]);
    else {
        *status = 0;
        return true;
    }
    arguments_free(arguments);
    return false;
}

void arguments_free(struct arguments *arguments) { poptFreeContext(arguments->context); }
