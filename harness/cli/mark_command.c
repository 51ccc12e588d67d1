/* portwitness mark: writes the name of a test that starts, or ends, into the trace of the run that
 * it is part of, so that findings can name it. */
#include <stdlib.h>
#include <string.h>

#include "harness/base/message.h"
#include "harness/base/names.h"
#include "harness/base/statuses.h"
#include "harness/cli/commands.h"
#include "harness/trace/marks.h"
#include "shim/shared/trace_format.h"

enum { NAME_BYTES_MAX = 3000, OPTION_END = 256, OPTION_IF_TRACED, OPTION_OUTCOME };

static const struct argp_option options[] = {
    {"end", OPTION_END, NULL, 0, "The test ends", 0},
    {"outcome", OPTION_OUTCOME, "OUTCOME", 0, "With --end, how it ended: passed, failed or skipped",
     0},
    {"if-traced", OPTION_IF_TRACED, NULL, 0, "Do nothing where PORTWITNESS_TRACE is not set", 0},
    {0}};

struct mark_choice {
    bool end;
    bool if_traced;
    unsigned outcome; /* enum pw_outcome, 0: not given */
};

static bool take(void *into, const struct option_value *value) {
    struct mark_choice *request = into;
    if (value->key == OPTION_OUTCOME) {
        request->outcome = outcome_of_name(value->text);
        return request->outcome != 0 || option_wrong(value, "must be passed, failed or skipped");
    }
    return *(value->key == OPTION_END ? &request->end : &request->if_traced) = true;
}

static bool mark(const char *name, uint64_t flags) {
    const char *trace = getenv("PORTWITNESS_TRACE");
    if (trace == NULL || *trace == '\0')
        return complain("mark",
                        "PORTWITNESS_TRACE is not set: this does not run under portwitness run");
    if (strlen(name) > NAME_BYTES_MAX)
        return complain("mark", "the name is longer than %d bytes", NAME_BYTES_MAX);
    const char *problem = mark_write(trace, name, flags);
    return problem == NULL || complain("mark", "%s: %s", trace, problem);
}

static int run(int argc, char **argv) {
    struct mark_choice request = {0};
    char **names;
    int status;
    if (!options_parse(&mark_command, argc, argv, &request, &names, &status))
        return status;
    if (request.outcome != 0 && !request.end)
        return usage_error(&mark_command, "option '--outcome' needs '--end'");
    if (names[0] == NULL && !request.end)
        return usage_error(&mark_command, "missing operand: NAME");
    if (names[0] != NULL && names[1] != NULL)
        return usage_error(&mark_command, "extra operand '%s': one name is needed", names[1]);
    if (request.if_traced && getenv("PORTWITNESS_TRACE") == NULL)
        return STATUS_GOOD;
    uint64_t flags = request.end ? PW_FLAG_MARKER_END | PW_FLAG_OUTCOME(request.outcome) : 0;
    return mark(names[0] != NULL ? names[0] : "", flags) ? STATUS_GOOD : STATUS_USAGE;
}

const struct command mark_command = {
    .name = "mark",
    .summary = "Writes the name of a test into the trace of its run",
    .operands = "NAME\n--end [NAME]",
    .about = "Writes NAME into the trace that PORTWITNESS_TRACE names, as the test that runs from "
             "now on in the process that calls this, and in whatever it starts. Findings carry the "
             "name.",
    .notes = "The exit status is 0; 2 if there is no trace, or nothing can be written to it.",
    .examples = {"mark 'login test'", "mark --if-traced \"$BATS_TEST_NAME\""},
    .wrong_usage = STATUS_USAGE,
    .options = options,
    .take = take,
    .run = run};
