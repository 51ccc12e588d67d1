/* portwitness check: what went wrong with ports in a run, and what nearly did. */
#include "harness/cli/check_command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/message.h"
#include "harness/base/output.h"
#include "harness/check/check.h"
#include "harness/check/suppressions.h"
#include "harness/cli/arguments.h"
#include "harness/cli/commands.h"
#include "harness/report/finding_json.h"
#include "harness/report/finding_text.h"
#include "shim/shared/recorder.h"

enum { STATUS_UNWRITTEN = 1, STATUS_FOUND = 1, STATUS_INCOMPLETE = 3, BAR_WIDTH = 30 };

#define SILENT_NS UINT64_C(1000000000)

static const char explanation[] =
    "\nFinds ports that were handed out twice, races for a port that were lost or could have "
    "been,\n"
    "addresses in use and who had them, and other trouble; portwitness(1) lists the findings. "
    "Traces\n"
    "of one host and boot are read together. A suppressions file has lines of kind:PATTERN,\n"
    "program:PATTERN, module:PATTERN and port:N-M. The exit status is 0 if nothing at or above\n"
    "--fail-on was found, 1 if something was, 2 if the usage is wrong or a file cannot be read, "
    "and 3\n"
    "with --strict if nothing was found but something could not be seen.\n";

struct bar {
    uint64_t begin_ns;
    bool shown;
};

static void show_progress(void *with, const char *path, unsigned pass, unsigned passes,
                          double part) {
    struct bar *bar = with;
    if (!isatty(STDERR_FILENO) || monotonic_ns() - bar->begin_ns < SILENT_NS)
        return;
    int filled = (int)(part * BAR_WIDTH);
    bar->shown = true;
    fprintf(stderr, "\r[%.*s%*s] reading %u of %u: %.40s\033[K",
            filled < BAR_WIDTH ? filled : BAR_WIDTH, "##############################",
            BAR_WIDTH - (filled < BAR_WIDTH ? filled : BAR_WIDTH), "", pass, passes, path);
}

static bool is_failure(const struct check *check, enum fail_on fail_on) {
    enum check_verdict verdict = check_verdict(check);
    return (verdict == VERDICT_FINDINGS && fail_on != FAIL_ON_NEVER) ||
           (verdict == VERDICT_HAZARDS && fail_on == FAIL_ON_HAZARD);
}

static bool found_nothing(const struct check *check) {
    enum check_verdict verdict = check_verdict(check);
    return verdict == VERDICT_CLEAN || verdict == VERDICT_CLEAN_AS_SEEN;
}

int check_traces(const struct check_request *request) {
    struct suppressions suppressions = {0};
    struct check check = {0};
    struct bar bar = {.begin_ns = monotonic_ns()};
    const struct finding_text_options options = {
        .all = request->all, .quiet = request->quiet, .to = request->to};
    int status = STATUS_USAGE;
    if ((request->suppressions == NULL ||
         suppressions_read(&suppressions, request->suppressions)) &&
        check_run(&check, request->traces, request->count, show_progress, &bar)) {
        if (bar.shown)
            fputs("\r\033[K", stderr);
        suppressions_apply(&suppressions, &check);
        if (request->json)
            finding_json_write(&check, &suppressions, request->to);
        else
            finding_text_write(&check, &suppressions, &options);
        status = is_failure(&check, request->fail_on) ? STATUS_FOUND : 0;
        if (status == 0 && request->strict && found_nothing(&check) && check_is_incomplete(&check))
            status = STATUS_INCOMPLETE;
    }
    check_free(&check);
    suppressions_free(&suppressions);
    return status;
}

static bool read_fail_on(const char *text, enum fail_on *fail_on) {
    static const char *const names[] = {"error", "hazard", "never"};
    for (unsigned i = 0; text != NULL && i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0) {
            *fail_on = (enum fail_on)i;
            return true;
        }
    return text == NULL;
}

enum { VALUE_FAIL_ON = 1, VALUE_SUPPRESSIONS };

int check_command(int argc, char **argv) {
    int json = 0;
    int strict = 0;
    int all = 0;
    int quiet = 0;
    const struct poptOption options[] = {
        {"json", '\0', POPT_ARG_NONE, &json, 0, "One JSON object in place of the text", NULL},
        {"fail-on", '\0', POPT_ARG_STRING, NULL, VALUE_FAIL_ON,
         "Status 1 from this severity on: error (the default), hazard or never", "SEVERITY"},
        {"strict", '\0', POPT_ARG_NONE, &strict, 0,
         "Status 3 if nothing was found, but the evidence is incomplete", NULL},
        {"suppressions", '\0', POPT_ARG_STRING, NULL, VALUE_SUPPRESSIONS,
         "Leave out the findings that a line of this file fits", "FILE"},
        {"all", '\0', POPT_ARG_NONE, &all, 0, "Every finding in full, also those like one before",
         NULL},
        {"quiet", 'q', POPT_ARG_NONE, &quiet, 0, "Nothing where there are no findings", NULL},
        POPT_TABLEEND};
    struct arguments arguments = {0};
    struct check_request request = {.to = stdout};
    int status;

    output_begin();
    if (!arguments_parse(&arguments, argc, argv, options, explanation, &status))
        return status;
    status = STATUS_USAGE;
    if (!read_fail_on(arguments.values[VALUE_FAIL_ON], &request.fail_on)) {
        message_write(stderr, "portwitness check: --fail-on: no severity: %s",
                      arguments.values[VALUE_FAIL_ON]);
    } else {
        request.traces = arguments.traces;
        while (arguments.traces[request.count] != NULL)
            request.count++;
        request.suppressions = arguments.values[VALUE_SUPPRESSIONS];
        request.strict = strict != 0;
        request.json = json != 0;
        request.all = all != 0;
        request.quiet = quiet != 0;
        status = check_traces(&request);
    }
    arguments_free(&arguments);
    return output_finish() ? status : STATUS_UNWRITTEN;
}
