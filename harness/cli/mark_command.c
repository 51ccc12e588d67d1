/* portwitness mark: writes the name of a test that starts, or ends, into the trace of the run that
 * it is part of, so that findings can name it. */
#include <errno.h>
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/message.h"
#include "harness/base/output.h"
#include "harness/cli/commands.h"
#include "harness/trace/marks.h"

enum { NAME_BYTES_MAX = 3000 };

static const char explanation[] =
    "\nWrites NAME into the trace that PORTWITNESS_TRACE names, as the test that runs from now on "
    "in\n"
    "the process that calls this, and in whatever it starts. Findings carry the name. The exit\n"
    "status is 0; 2 if there is no trace, or nothing can be written to it.\n";

static int complain(const char *what, const char *why) {
    message_write(stderr, "portwitness mark: %s%s%s", what, why != NULL ? ": " : "",
                  why != NULL ? why : "");
    return STATUS_USAGE;
}

static int mark(const char *name, bool end) {
    const char *trace = getenv("PORTWITNESS_TRACE");
    if (trace == NULL || *trace == '\0')
        return complain("PORTWITNESS_TRACE is not set: this is not run under portwitness run",
                        NULL);
    if (strlen(name) > NAME_BYTES_MAX)
        return complain("the name is longer than 3000 bytes", NULL);
    const char *problem = mark_write(trace, name, end);
    return problem == NULL ? 0 : complain(trace, problem);
}

int mark_command(int argc, char **argv) {
    int end = 0;
    int if_traced = 0;
    int help = 0;
    const struct poptOption options[] = {
        {"end", '\0', POPT_ARG_NONE, &end, 0, "The test ends", NULL},
        {"if-traced", '\0', POPT_ARG_NONE, &if_traced, 0,
         "Do nothing where PORTWITNESS_TRACE is not set", NULL},
        {"help", 'h', POPT_ARG_NONE, &help, 0, "Show this help", NULL},
        POPT_TABLEEND};
    poptContext context = poptGetContext(NULL, argc, (const char **)argv, options, 0);
    poptSetOtherOptionHelp(context, "[OPTIONS] NAME");
    int answer = poptGetNextOpt(context);
    const char *name = poptGetArg(context);
    const char *more = name != NULL ? poptPeekArg(context) : NULL;
    int status = 0;
    if (answer < -1)
        status = complain(poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(answer));
    else if (help) {
        poptPrintHelp(context, stdout, 0);
        fputs(explanation, stdout);
        status = output_finish() ? 0 : 1;
    } else if ((name == NULL && !end) || more != NULL)
        status = complain("one name is needed; see portwitness mark --help", NULL);
    else if (!if_traced || getenv("PORTWITNESS_TRACE") != NULL)
        status = mark(name != NULL ? name : "", end != 0);
    poptFreeContext(context);
    return status;
}
