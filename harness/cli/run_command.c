/* portwitness run: a command under the shim, and the check of its trace where that is asked for. */
#include <string.h>

#include "harness/base/number.h"
#include "harness/base/output.h"
#include "harness/base/statuses.h"
#include "harness/cli/check_options.h"
#include "harness/cli/commands.h"
#include "harness/cli/run_command.h"
#include "harness/cli/sharing.h"
#include "harness/run/run.h"
#include "shim/shared/trace_format.h"

enum {
    OPTION_CHECK = 256,
    OPTION_POLICY,
    OPTION_STACKS,
    OPTION_NO_FRAMES,
    OPTION_CAPTURE,
    OPTION_PYTEST,
    OPTION_WAIT,
    OPTION_NO_FOLLOW,
    OPTION_SHARED,
    OPTION_MAX_SIZE,
    OPTION_HOST_ID
};

static const struct argp_option options[] = {
    {"output", 'o', "TRACE", 0,
     "The trace to make; a file that exists is refused (default: a new one in the current folder)",
     0},
    {"quiet", 'q', NULL, 0,
     "No summary on stderr, only the name of the trace where -o does not give it", 0},
    {"check", OPTION_CHECK, NULL, 0,
     "Report port races and other problems when the command has ended", 0},
    {"policy", OPTION_POLICY, "POLICY", 0,
     "Which ports the command gets: kernel (default), soonest, quarantine[:SECONDS], "
     "keep[:SECONDS], seeded:N, "
     "range:LOW-HIGH, or one of them, a comma and a range",
     0},
    {"stacks", OPTION_STACKS, "N", OPTION_ARG_OPTIONAL,
     "Record up to N return addresses with each call (default and maximum: 16)", 0},
    {"no-frames", OPTION_NO_FRAMES, NULL, 0,
     "Do not ask Python, Java, Node and the like for the lines that calls came from", 0},
    {"capture", OPTION_CAPTURE, "MEANS", 0,
     "How programs are seen that cannot be preloaded, as those in Go: ebpf, host (eBPF, and all of "
     "the machine), seccomp, preload (not at all), or auto, what can be had (default)",
     0},
    {"pytest", OPTION_PYTEST, "HOW", OPTION_ARG_OPTIONAL,
     "Let pytest, where the command runs it, load its plugin: tests are marked, and findings stand "
     "in its report (HOW is report, the default) or do not (marks)",
     0},
    {"wait", OPTION_WAIT, NULL, 0, "Wait for programs that outlive the command", 0},
    {"no-follow", OPTION_NO_FOLLOW, NULL, 0,
     "Do not record programs that are started with another environment", 0},
    {"shared", OPTION_SHARED, "GROUP|MODE", OPTION_ARG_OPTIONAL,
     "Let other users that the command changes to write to the trace: everybody, one group, or as "
     "an octal mode says",
     0},
    {"max-size", OPTION_MAX_SIZE, "SIZE", 0,
     "The most that the trace may grow to, for example 512M (default: 4G)", 0},
    {"host-id", OPTION_HOST_ID, "ID", 0, "A name in the trace that tells hosts apart", 0},
    {0}};

struct run_choice {
    struct run_options options;
    struct check_request check;
    const char *check_option; /* one that --check alone understands; NULL: none was given */
    bool bad_policy;
};

static bool take_shared(struct new_trace_plan *trace, const struct option_value *value) {
    const char *problem = sharing_read(value->text, &trace->mode, &trace->group);
    return problem == NULL || option_wrong(value, "%s", problem);
}

static bool take_max_size(struct new_trace_plan *trace, const struct option_value *value) {
    if (!read_size(value->text, &trace->max_size))
        return option_wrong(value, "not a size such as 512M");
    return trace->max_size >= PW_MIN_MAX_SIZE || option_wrong(value, "must be at least 2M");
}

static bool take_host_id(struct new_trace_plan *trace, const struct option_value *value) {
    trace->host_id = value->text;
    return strlen(value->text) < sizeof((struct pw_header *)0)->host_id ||
           option_wrong(value, "longer than 63 bytes");
}

static bool take_stacks(struct new_trace_plan *trace, const struct option_value *value) {
    trace->stacks = PW_STACK_MAX;
    return value->text == NULL || option_unsigned(value, 1, PW_STACK_MAX, &trace->stacks);
}

static bool take_policy(struct run_choice *choice, const struct option_value *value) {
    char problem[256];
    choice->bad_policy =
        !policy_option_parse(value->text, &choice->options.trace.policy, problem, sizeof problem);
    return !choice->bad_policy || option_wrong(value, "%s", problem);
}

static bool take_capture(struct run_options *run, const struct option_value *value) {
    static const char *const names[] = {[CAPTURE_AUTO] = "auto",
                                        [CAPTURE_PRELOAD] = "preload",
                                        [CAPTURE_EBPF] = "ebpf",
                                        [CAPTURE_HOST] = "host",
                                        [CAPTURE_SECCOMP] = "seccomp"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        run->capture = (enum capture_choice)i;
        if (strcmp(value->text, names[i]) == 0)
            return true;
    }
    return option_wrong(value, "must be auto, preload, ebpf, host or seccomp");
}

static bool take(void *into, const struct option_value *value) {
    struct run_choice *choice = into;
    struct run_options *run = &choice->options;
    const char *name = check_options_name(value->key);
    if (name != NULL) {
        choice->check_option = name;
        return check_options_take(&choice->check, value);
    }
    switch (value->key) {
    case 'o':
        run->trace.name = value->text;
        return *value->text != '\0' || option_wrong(value, "must not be empty");
    case 'q':
        return run->quiet = true;
    case OPTION_CHECK:
        return run->check = true;
    case OPTION_POLICY:
        return take_policy(choice, value);
    case OPTION_STACKS:
        return take_stacks(&run->trace, value);
    case OPTION_NO_FRAMES:
        return run->trace.no_frames = true;
    case OPTION_CAPTURE:
        return take_capture(run, value);
    case OPTION_PYTEST:
        run->pytest = value->text != NULL ? value->text : "report";
        return strcmp(run->pytest, "report") == 0 || strcmp(run->pytest, "marks") == 0 ||
               option_wrong(value, "must be report or marks");
    case OPTION_WAIT:
        return run->wait = true;
    case OPTION_NO_FOLLOW:
        run->follow = false;
        return true;
    case OPTION_SHARED:
        return take_shared(&run->trace, value);
    case OPTION_MAX_SIZE:
        return take_max_size(&run->trace, value);
    default:
        return take_host_id(&run->trace, value);
    }
}

bool run_options_parse(struct run_options *parsed, struct check_request *check, int argc,
                       char **argv, int *status) {
    struct run_choice choice = {.options = run_options_default(),
                                .check = {.to = stderr, .json_to = stdout}};
    bool good = options_parse(&run_command, argc, argv, &choice, &choice.options.command, status);
    if (!good && choice.bad_policy)
        *status = STATUS_USAGE;
    *parsed = choice.options;
    *check = choice.check;
    check->quiet = choice.options.quiet;
    if (!good)
        return false;
    if (choice.check_option != NULL && !choice.options.check)
        *status = usage_error(&run_command, "option '--%s' needs '--check'", choice.check_option);
    else if (check_options_problem(check) != NULL)
        *status = usage_error(&run_command, "%s", check_options_problem(check));
    else if (choice.options.command[0] == NULL)
        *status = usage_error(&run_command, "missing operand: COMMAND");
    else
        return true;
    return false;
}

/* What a report to standard output comes to there is only known when it has been written. */
static int check_trace(void *with, const char *trace) {
    struct check_request *request = with;
    request->traces = &trace;
    request->count = 1;
    int status = check_report(request);
    bool written = !request->json || request->json_file != NULL || output_finish();
    return status == STATUS_USAGE || !written ? STATUS_FAILED : status;
}

/* `trace`: NULL where it will have a name of its own. */
static bool is_check_ready(struct check_request *request, const char *trace) {
    request->traces = &trace;
    request->count = trace != NULL;
    bool ready = check_report_ready(request);
    request->traces = NULL;
    request->count = 0;
    return ready;
}

static int run(int argc, char **argv) {
    struct run_options parsed;
    struct check_request check;
    int status;
    if (!run_options_parse(&parsed, &check, argc, argv, &status))
        return status;
    if (parsed.check && !is_check_ready(&check, parsed.trace.name))
        return STATUS_FAILED;
    return run_recording(&parsed, check_trace, &check);
}

const struct command run_command = {
    .name = "run",
    .summary = "Runs a command and records its port requests in a trace",
    .operands = "[--] COMMAND [ARGUMENT...]",
    .about = "Runs a command and records each port that it and its children ask for and get. "
             "Options end at the first word that is not an option, or at --.",
    .notes = "The exit status is the command's; 128+N if signal N ended it; 127 if it was not "
             "found, 126 if it could not be executed; 125 if portwitness itself failed. With "
             "--check, where the command's is 0, it is that of the check: 1 if an error was found. "
             "Options from --fail-on on need --check. The last line on stderr names the trace.",
    .examples = {"run --check -- pytest -n 4", "run -o test.trace -- make check"},
    .runs_program = true,
    .wrong_usage = STATUS_FAILED,
    .options = options,
    .shared_options = check_options,
    .take = take,
    .run = run};
