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

static bool fail(const char *name, const char *what, int error) {
    return complain(NULL, "%s: %s%s%s", name, what, error != 0 ? ": " : "",
                    error != 0 ? strerror(error) : "");
}

/* "portwitness-PID.trace", then with a number behind. */
static char *made_up_name(unsigned attempt) {
    char *name = NULL;
    int length = attempt == 0 ? asprintf(&name, "portwitness-%d.trace", (int)getpid())
                              : asprintf(&name, "portwitness-%d-%u.trace", (int)getpid(), attempt);
    return length < 0 ? NULL : name;
}

static bool create(struct new_trace *trace, const struct new_trace_plan *wanted) {
    const struct trace_plan plan = {
        .max_size = wanted->max_size,
        .mode = wanted->mode,
        .supervisor_pid = (unsigned)getpid(),
        .stacks = wanted->stacks,
        .no_frames = wanted->no_frames,
        .capture = wanted->capture,
        .no_ebpf = wanted->no_ebpf,
        .questions = wanted->questions,
        .host_id = wanted->host_id,
        .policy = wanted->policy.text,
        .config = policy_option_is_kernel(&wanted->policy) ? NULL : &wanted->policy.config};
    struct trace_problem problem = {0};
    for (unsigned attempt = 0; attempt < NAMES_TRIED; attempt++) {
        free(trace->name);
        trace->name = wanted->name != NULL ? strdup(wanted->name) : made_up_name(attempt);
        if (trace->name == NULL)
            return fail("trace", strerror(errno), 0);
        if (trace_create(trace->name, &plan, &problem))
            return true;
        if (wanted->name != NULL || problem.error != EEXIST)
            break;
    }
    return fail(trace->name, problem.what, problem.error == EEXIST ? 0 : problem.error);
}

static bool attach(struct new_trace *trace, const struct new_trace_plan *plan) {
    struct trace_map map = {0};
    struct trace_problem problem = {0};
    trace->absolute = realpath(trace->name, NULL);
    if (trace->absolute == NULL)
        return fail(trace->name, "cannot be found again", errno);
    if (plan->group != (gid_t)-1 && chown(trace->absolute, (uid_t)-1, plan->group) != 0)
        return fail(trace->name, "cannot be given to the group", errno);
    if (!trace_open(trace->absolute, &map, &problem))
        return fail(trace->name, problem.what, problem.error);
    recorder_attach(&map);
    return true;
}

bool new_trace_make(struct new_trace *trace, const struct new_trace_plan *plan) {
    *trace = (struct new_trace){0};
    if (!create(trace, plan))
        return false;
    if (attach(trace, plan))
        return true;
    new_trace_remove(trace);
    return false;
}

void new_trace_remove(const struct new_trace *trace) { (void)unlink(trace->name); }

void new_trace_free(struct new_trace *trace) {
    free(trace->name);
    free(trace->absolute);
}
