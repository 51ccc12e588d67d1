/*
 * Other libraries' constructors may run before ours and call what we wrap, and some programs never
 * run ours at all, so everything here hangs on one function that whoever comes first calls.
 */
#include "shim/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "shim/frames/languages.h"
#include "shim/frames/node.h"
#include "shim/gate.h"
#include "shim/policy/place.h"
#include "shim/policy/policy.h"
#include "shim/process/environment.h"
#include "shim/process/notified_pass.h"
#include "shim/process/process.h"
#include "shim/process/program_start.h"
#include "shim/process/sandbox.h"
#include "shim/process/stacks.h"
#include "shim/real.h"
#include "shim/shared/clock.h"
#include "shim/shared/filter_trial.h"
#include "shim/shared/raw_syscall.h"
#include "shim/shared/run_variable.h"
#include "shim/shared/trace_file.h"
#include "shim/socket/inherited.h"

enum { STATE_NEW, STATE_STARTING, STATE_DONE };

static _Atomic int state;

static char *append(char *at, const char *end, const char *text) {
    size_t length = strlen(text);
    if (length > (size_t)(end - at))
        length = (size_t)(end - at);
    memcpy(at, text, length);
    return at + length;
}

/* strerrorname_np is younger than the oldest C library that we support. */
static const char *error_name(int error) {
    switch (error) {
    case EACCES:
        return "EACCES";
    case EFBIG:
        return "EFBIG";
    case EISDIR:
        return "EISDIR";
    case ELOOP:
        return "ELOOP";
    case ENOENT:
        return "ENOENT";
    case ENOMEM:
        return "ENOMEM";
    case ENOSPC:
        return "ENOSPC";
    case ENAMETOOLONG:
        return "ENAMETOOLONG";
    case ENOTDIR:
        return "ENOTDIR";
    case EPERM:
        return "EPERM";
    case EROFS:
        return "EROFS";
    default:
        return NULL;
    }
}

static void warn(const char *path, const struct trace_problem *problem) {
    char line[512];
    const char *end = line + sizeof line - 1;
    char *at = append(line, end, "portwitness: ");
    at = append(at, end, path);
    at = append(at, end, " ");
    at = append(at, end, problem->what);
    const char *name = error_name(problem->error);
    if (name != NULL) {
        at = append(at, end, " (");
        at = append(at, end, name);
        at = append(at, end, ")");
    }
    at = append(at, end, "; the program runs on unrecorded");
    *at++ = '\n';
    raw_syscall3(SYS_write, 2, RAW(line), at - line);
}

static int parse_number(const char *text) {
    int number = 0;
    if (*text < '0' || *text > '9')
        return -1;
    for (; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (*text - '0');
    return number;
}

/* Without `portwitness run` the first process makes the trace; the others find it. */
static bool open_trace(const char *path, struct trace_map *map, struct trace_problem *problem) {
    if (trace_open_at_start(path, environment_is_supervised(), map, problem))
        return true;
    if (problem->error != ENOENT || environment_is_supervised())
        return false;
    const char *stacks = environment_get(environ, "PORTWITNESS_STACKS");
    int frames = stacks != NULL ? parse_number(stacks) : 0;
    const char *language = environment_get(environ, "PORTWITNESS_FRAMES");
    clock_find_namespace(); /* for the times in the header */
    const struct trace_plan by_hand = {.no_frames = language != NULL && strcmp(language, "0") == 0,
                                       .stacks = frames > 0 ? (unsigned)frames : 0,
                                       .questions = PW_QUESTIONS,
                                       .filters = filter_count()};
    return (trace_create(path, &by_hand, problem) || problem->error == EEXIST) &&
           trace_open_at_start(path, environment_is_supervised(), map, problem);
}

static void start_once(bool is_first) {
    struct trace_map map;
    struct trace_problem problem;
    real_resolve();
    if (getauxval(AT_SECURE) != 0)
        return;
    struct process_look look;
    sandbox_begin(is_first, &look.own);
    enum environment environment = environment_read();
    if (environment == ENVIRONMENT_NONE || sandbox_is_on())
        return;
    if (environment == ENVIRONMENT_TOO_LONG) {
        if (!environment_is_quiet())
            warn("PORTWITNESS_TRACE", &(struct trace_problem){"is too long", ENAMETOOLONG});
        environment_be_quiet();
        return;
    }
    const char *path = environment_trace();
    if (!open_trace(path, &map, &problem)) {
        /* A filter that a program was put under by an unseen hand refuses the file: a sandbox. */
        bool is_sandbox = problem.error == EPERM && filter_count() != 0;
        if (!environment_is_quiet() && !is_sandbox)
            warn(path, &problem);
        environment_be_quiet(); /* one warning a tree is enough */
        return;
    }
    if (!map.facts.same_clock)
        clock_find_namespace();
    struct run_variable run;
    run_variable_read(environment_run(), &run);
    map.facts.config = run.policy; /* not as others may have written it into the trace */
    recorder_attach(&map);
    policy_begin();
    notified_pass_begin();
    look.proc = proc_mount_look(); /* while no descriptor of ours is open */
    process_begin_image(&look);
    policy_place_enter_image();
    gate_open();
    stacks_prepare();
    languages_begin();
    if (!environment_is_supervised())
        program_start_record_own();
    inherited_adopt(&look.proc);
    node_start();
}

static void start(bool is_first) {
    int expected = STATE_NEW;
    if (atomic_load_explicit(&state, memory_order_acquire) != STATE_NEW ||
        !atomic_compare_exchange_strong(&state, &expected, STATE_STARTING))
        return;
    int saved = errno;
    start_once(is_first);
    errno = saved;
    atomic_store_explicit(&state, STATE_DONE, memory_order_release);
}

void shim_start(void) { start(false); }

void shim_prepare(void) {
    shim_start();
    if (real.bind == NULL)
        real_resolve();
}

static bool exit_is_handled;

/* Handlers run in the reverse order of their making, and ours is made before main: so it runs after
 * the guest's own, and after the destructors of all libraries. */
static void end_with_status(int status, void *unused) {
    (void)unused;
    if (gate() == GATE_OPEN)
        process_ends(0, (status & 0xff) << 8);
}

__attribute__((constructor)) static void construct(void) {
    start(true); /* as the loader starts the program */
    if (gate() == GATE_OPEN)
        exit_is_handled = on_exit(end_with_status, NULL) == 0;
}

__attribute__((destructor)) static void destruct(void) {
    if (!exit_is_handled && gate() == GATE_OPEN)
        process_ends(0, -1);
}
