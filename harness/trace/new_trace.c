/* A trace is evidence: an existing file is never touched, and a made-up name never collides. */
#include "harness/trace/new_trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/message.h"
#include "shim/shared/recorder.h"
#include "shim/shared/trace_file.h"

enum { NAMES_TRIED = 1000 };

static bool complain(const char *name, const char *what, int error) {
    message_write(stderr, "portwitness: %s: %s%s%s", name, what, error != 0 ? ": " : "",
                  error != 0 ? strerror(error) : "");
    return false;
}

/* "portwitness-PID.trace", then with a number behind. */
static char *made_up_name(unsigned attempt) {
    char *name = NULL;
    int length = attempt == 0 ? asprintf(&name, "portwitness-%d.trace", (int)getpid())
                              : asprintf(&name, "portwitness-%d-%u.trace", (int)getpid(), attempt);
    return length < 0 ? NULL : name;
}

static bool create(struct new_trace *trace, const struct run_options *options) {
    const struct trace_plan plan = {
        .max_size = options->max_size,
        .mode = options->mode,
        .supervisor_pid = (unsigned)getpid(),
        .stacks = options->stacks,
        .questions = options->questions,
        .host_id = options->host_id,
        .policy = options->policy.text,
        .config = policy_option_is_kernel(&options->policy) ? NULL : &options->policy.config};
    struct trace_problem problem = {0};
    for (unsigned attempt = 0; attempt < NAMES_TRIED; attempt++) {
        free(trace->name);
        trace->name = options->trace != NULL ? strdup(options->trace) : made_up_name(attempt);
        if (trace->name == NULL)
            return complain("trace", strerror(errno), 0);
        if (trace_create(trace->name, &plan, &problem))
            return true;
        if (options->trace != NULL || problem.error != EEXIST)
            break;
    }
    return complain(trace->name, problem.what, problem.error == EEXIST ? 0 : problem.error);
}

static bool attach(struct new_trace *trace, const struct run_options *options) {
    struct trace_map map = {0};
    struct trace_problem problem = {0};
    trace->absolute = realpath(trace->name, NULL);
    if (trace->absolute == NULL)
        return complain(trace->name, "cannot be found again", errno);
    if (options->group != (gid_t)-1 && chown(trace->absolute, (uid_t)-1, options->group) != 0)
        return complain(trace->name, "cannot be given to the group", errno);
    if (!trace_open(trace->absolute, &map, &problem))
        return complain(trace->name, problem.what, problem.error);
    recorder_attach(&map);
    return true;
}

bool new_trace_make(struct new_trace *trace, const struct run_options *options) {
    *trace = (struct new_trace){0};
    if (!create(trace, options))
        return false;
    if (attach(trace, options))
        return true;
    new_trace_remove(trace);
    return false;
}

void new_trace_remove(const struct new_trace *trace) { (void)unlink(trace->name); }

void new_trace_free(struct new_trace *trace) {
    free(trace->name);
    free(trace->absolute);
}
