/*
 * The command runs as if we were not there. Meanwhile one loop reads the trace as it grows, waits
 * for signals and for processes to end, and takes the kernel's notices.
 */
#include "harness/run/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/message.h"
#include "harness/base/statuses.h"
#include "harness/keep/keeper.h"
#include "harness/run/blind_spot.h"
#include "harness/run/capture.h"
#include "harness/run/child.h"
#include "harness/run/destroyed.h"
#include "harness/run/filters.h"
#include "harness/run/holder_search.h"
#include "harness/run/left_behind.h"
#include "harness/run/pytest_plugin.h"
#include "harness/run/run_environment.h"
#include "harness/run/summary.h"
#include "harness/run/watch.h"
#include "harness/trace/cut_trace.h"
#include "harness/trace/new_trace.h"
#include "harness/trace/populate.h"
#include "harness/trace/reader.h"
#include "shim/shared/policy_places.h"
#include "shim/shared/policy_space.h"
#include "shim/shared/program_file.h"
#include "shim/shared/recorder.h"

/* What eBPF sees waits in a ring of a few MiB, and what finds it full is lost: on a machine with
 * more to do than it has processors for, the reader comes before those that fill it. */
enum { READER_NICE = -15 };

enum {
    EVENTS_AT_ONCE = 64,
    /* How often the trace and the notices are read: often while something happens. */
    BUSY_MS = 5,
    IDLE_MS = 40,
    WAIT_ROUNDS_SILENT = 20,
    LOOK_NS = 250 * 1000 * 1000,
    /* At the end: the notices of the last sockets come by a work queue of the kernel. */
    DRAIN_ROUNDS_MAX = 100,
    DRAIN_ROUNDS_QUIET = 25,
    DRAIN_ROUNDS_FIRST = 2,
    DRAIN_ROUNDS_FOR_MARKS = 15000,
    DRAIN_ROUNDS_QUIET_FOR_MARKS = 1500,
    DRAIN_PAUSE_NS = 2 * 1000 * 1000,
    LEFTOVER_ROUNDS = 15,
    LEFTOVER_PAUSE_MS = 20
};

/* No serial is as large. */
#define EVENT_SIGNALS UINT64_MAX
#define EVENT_CAPTURE (UINT64_MAX - 1) /* wakes us, no more */

struct run {
    const struct run_options *options;
    struct new_trace trace;
    struct child child;
    struct watch watch;
    struct destroyed destroyed;
    struct capture capture;
    struct keeper keeper;
    struct holder_search search;
    struct left_behind left;
    struct summary summary;
    struct trace_reader *reader;
    int signals;
    int epoll;
    uint64_t looked_ns;
};

static int fail(const char *what) {
    complain("run", "%s: %s", what, strerror(errno));
    return STATUS_FAILED;
}

static void take_record(struct run *run, const struct trace_record *record) {
    if (!record->committed) {
        if (!watch_lives(&run->watch, record->process))
            run->summary.torn++;
        return;
    }
    summary_add(&run->summary, record);
    watch_learn(&run->watch, record);
    destroyed_learn(&run->destroyed, record);
    holder_search_learn(&run->search, &run->destroyed.sockets, record);
    if (run->capture.means != 0)
        captured_learn(&run->capture.captured, record);
}

/* Reads the trace to its present end, then what the kernel has to say. true if there was anything.
 */
static bool take_news(struct run *run) {
    struct trace_record record;
    bool any = capture_take(&run->capture);
    keeper_look(&run->keeper);
    while (trace_reader_next(run->reader, &record) == TRACE_NEXT_RECORD) {
        take_record(run, &record);
        any = true;
    }
    if (capture_settle(&run->capture, false))
        any = true;
    holder_search_run(&run->search, false);
    watch_settle(&run->watch);
    if (destroyed_take(&run->destroyed))
        any = true;
    if (!any)
        holder_search_run(&run->search, true);
    uint64_t now = monotonic_ns();
    if (now - run->looked_ns > LOOK_NS) {
        run->looked_ns = now;
        watch_look(&run->watch);
    }
    return any;
}

static void take_events(struct run *run, int timeout_ms) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(run->epoll, events, EVENTS_AT_ONCE, timeout_ms);
    /* Signals first: how the command ended is part of the record of its end. */
    for (int i = 0; i < count; i++)
        if (events[i].data.u64 == EVENT_SIGNALS)
            child_handle_signals(&run->child, run->signals);
    child_handle_bus(&run->child);
    run->watch.child_ended = run->child.ended;
    run->watch.child_status = run->child.wait_status;
    for (int i = 0; i < count; i++)
        if (events[i].data.u64 != EVENT_SIGNALS)
            watch_ended(&run->watch, events[i].data.u64);
}

/* A child may record its start only after the command that forked it has ended, so with --wait it
 * takes a while of silence to believe that nobody is left. */
static bool is_over(const struct run *run, int silent_rounds) {
    if (!run->child.ended)
        return false;
    return !run->options->wait || (run->watch.living == 0 && silent_rounds >= WAIT_ROUNDS_SILENT);
}

static void follow_command(struct run *run) {
    int timeout_ms = BUSY_MS;
    int silent_rounds = 0;
    while (!is_over(run, silent_rounds)) {
        take_events(run, timeout_ms);
        if (take_news(run)) {
            timeout_ms = BUSY_MS;
            silent_rounds = 0;
            continue;
        }
        silent_rounds++;
        if (timeout_ms < IDLE_MS && !run->child.ended)
            timeout_ms *= 2;
    }
}

/* Takes the notices of what has ended. A socket that lives on has none, so there may be nothing to
 * wait for; sockets of our own show how far the kernel has come. */
static void drain_notices(struct run *run) {
    const struct timespec pause = {.tv_nsec = DRAIN_PAUSE_NS};
    struct destroyed *destroyed = &run->destroyed;
    int quiet = 0;
    int counted = 0;
    for (int round = 0; counted < DRAIN_ROUNDS_MAX; round++) {
        take_events(run, 0);
        quiet = take_news(run) ? 0 : quiet + 1;
        if (destroyed->sockets.used == 0 && round >= DRAIN_ROUNDS_FIRST)
            return;
        if (round == DRAIN_ROUNDS_FIRST)
            destroyed_mark(destroyed);
        bool waits = destroyed->marks.used > 0;
        if (quiet >= (waits ? DRAIN_ROUNDS_QUIET_FOR_MARKS : DRAIN_ROUNDS_QUIET))
            break;
        if (!waits || round >= DRAIN_ROUNDS_FOR_MARKS)
            counted++;
        nanosleep(&pause, NULL);
    }
    if (destroyed->marks.used > 0)
        recorder_lost(PW_LOST_NOTICES, 1);
}

/* Who has just been told to end takes a moment for it, and is no leftover. */
static void let_holders_end(struct run *run) {
    for (unsigned round = 0; round < LEFTOVER_ROUNDS && run->watch.living > 0; round++) {
        left_behind_look(&run->left, &run->watch);
        if (run->left.holders == 0)
            return;
        take_events(run, LEFTOVER_PAUSE_MS);
        take_news(run);
    }
}

static void drain(struct run *run) {
    drain_notices(run);
    capture_settle(&run->capture, true); /* sockets that only now become known may have ended */
    destroyed_take_kept(&run->destroyed);
    take_news(run);
    watch_look(&run->watch);
    watch_record_unseen(&run->watch);
    left_behind_look(&run->left, &run->watch);
    left_behind_record(&run->left, run->destroyed.notices.netns);
    trace_reader_tail(run->reader, false);
    take_news(run);
    run->summary.blank = trace_reader_counts(run->reader)->blank;
    atomic_store(&recorder_header()->finished, 1);
}

/* Guests that recorded into it meanwhile may have been ended by it, which is worth a word whatever
 * else is wanted. */
static void report_cut(const struct run *run) {
    if (cut_trace_seen() || trace_reader_is_cut(run->reader))
        complain(NULL,
                 "%s was cut by somebody while the command ran: records are lost, "
                 "and programs that recorded into it may have ended by SIGBUS",
                 run->trace.name);
}

static void report(struct run *run) {
    char living[1024];
    report_cut(run);
    run->summary.unprivileged = capture_unprivileged(&run->capture);
    unnotified_read(&run->summary.unnotified, run->capture.supervisor);
    run->summary.by_table = capture_by_table(&run->capture);
    if (run->capture.supervisor != NULL)
        run->summary.beyond = unnotified_sum(&run->summary.unnotified);
    if (!run->options->quiet && !capture_had_standby(&run->capture))
        complain(NULL,
                 "pw-standby was killed too often, and no other was started: had run been killed "
                 "then, programs under a seccomp filter could not bind any more (ENOSYS)");
    left_behind_name(&run->left, living, sizeof living);
    if (!run->options->quiet)
        summary_print(&run->summary, recorder_header(), run->options->trace.policy.text, living,
                      run->capture.no_ebpf, run->trace.name, stderr);
    else if (run->options->trace.name == NULL)
        summary_print_name(run->trace.name, stderr); /* nobody could know it otherwise */
}

/* The command itself starts before any wrapper could look at it. */
static void note_obstacle(struct run *run, const struct program_facts *facts) {
    if (facts->obstacle == 0)
        return;
    if (run->capture.means != 0)
        captured_processes_unentered(&run->capture.captured.processes, run->child.pid,
                                     (unsigned)facts->obstacle, facts->path);
    else
        blind_spot_record((unsigned)facts->obstacle, 0, (uint32_t)run->child.pid, facts->path);
}

static int start_command(struct run *run, const char *shim) {
    static struct program_facts facts;
    const char *search_path = getenv("PATH");
    (void)program_inspect(run->options->command[0],
                          search_path != NULL ? search_path : "/bin:/usr/bin", &facts);
    /* A foreign loader complains of a library that it cannot use, or gives up. */
    bool is_foreign = facts.obstacle == PW_BLIND_ARCHITECTURE;
    char *plugins = NULL;
    if (run->options->pytest != NULL && (plugins = pytest_plugin_find()) == NULL)
        return STATUS_FAILED;
    const struct run_environment plan = {.shim = is_foreign ? NULL : shim,
                                         .trace = run->trace.absolute,
                                         .sanitizer = facts.sanitizer,
                                         .follow = run->options->follow,
                                         .plugins = plugins,
                                         .pytest = run->options->pytest,
                                         .policy = &run->options->trace.policy.config};
    char **environment = environment_make(environ, &plan);
    free(plugins);
    if (environment == NULL)
        return fail("environment");
    int status = child_start(&run->child, run->options->command, environment,
                             capture_preparation(&run->capture, &facts));
    environment_free(environment);
    if (status == 0 && policy_area() != NULL &&
        run->options->trace.policy.config.kind == PW_POLICY_SEEDED)
        place_enter(PLACE_ROOT, place_key(run->child.pid));
    if (status == 0)
        note_obstacle(run, &facts);
    return status;
}

/* Everything that can fail comes before the command is started. */
static int prepare(struct run *run) {
    struct trace_reader_problem problem;
    run->signals = child_take_signals();
    run->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = EVENT_SIGNALS};
    if (run->signals < 0 || run->epoll < 0 ||
        epoll_ctl(run->epoll, EPOLL_CTL_ADD, run->signals, &event) != 0)
        return fail("signals");
    run->reader = trace_reader_open(run->trace.absolute, &problem);
    if (run->reader == NULL) {
        complain(NULL, "%s: %s", run->trace.name, problem.what);
        return STATUS_FAILED;
    }
    trace_reader_tail(run->reader, true);
    destroyed_start(&run->destroyed, (run->capture.means & PW_CAPTURE_KERNEL) == 0);
    if (!keeper_start(&run->keeper))
        return fail("policy keep");
    if (!capture_begin(&run->capture, &run->destroyed, run->reader))
        return STATUS_FAILED;
    capture_wake(&run->capture, run->epoll, EVENT_CAPTURE);
    run->search.netns = run->destroyed.notices.netns;
    return 0;
}

/* This thread alone. Who was told to stand back (nice) does so, whatever that loses. */
static void come_first(const struct run *run) {
    int own = getpriority(PRIO_PROCESS, 0);
    if ((run->capture.means & PW_CAPTURE_KERNEL) != 0 && own <= 0 && own > READER_NICE)
        (void)setpriority(PRIO_PROCESS, 0, READER_NICE);
}

static int run_recorded(struct run *run, const char *shim) {
    int status = prepare(run);
    if (status == 0)
        status = start_command(run, shim);
    if (status == 0) {
        populate_start();
        come_first(run);
        watch_start(&run->watch, run->epoll, run->child.pid, run->trace.absolute);
        follow_command(run);
        let_holders_end(run);
        populate_stop();
        drain(run);
        report(run);
        status = run->child.exit_status;
        watch_stop(&run->watch);
    } else {
        new_trace_remove(&run->trace);
    }
    keeper_stop(&run->keeper);
    destroyed_stop(&run->destroyed);
    trace_reader_close(run->reader);
    holder_search_free(&run->search);
    left_behind_free(&run->left);
    summary_free(&run->summary);
    return status;
}

/* Ourselves we could be ended by the filter as well. */
static int run_unrecorded(char *const command[]) {
    complain("run",
             "the seccomp filter of this environment ends programs that make the system calls "
             "which recording needs, so nothing is recorded, and no trace is made");
    execvp(command[0], command);
    return child_report_failure(command[0], errno);
}

static bool make_trace(struct run *run) {
    struct new_trace_plan plan = run->options->trace;
    if (!capture_open(&run->capture, run->options->capture))
        return false;
    plan.capture = run->capture.means;
    plan.no_ebpf = run->capture.no_ebpf;
    return new_trace_make(&run->trace, &plan);
}

int run_recording(const struct run_options *options, run_checker *check, void *with) {
    struct run run = {.options = options, .destroyed.notices = {.file = -1, .query = -1}};
    int status = STATUS_FAILED;
    int own_nice = getpriority(PRIO_PROCESS, 0);
    if (!filters_are_harmless())
        return run_unrecorded(options->command);
    char *shim = environment_find_shim();
    if (shim != NULL && make_trace(&run))
        status = run_recorded(&run, shim);
    capture_close(&run.capture);
    (void)setpriority(PRIO_PROCESS, 0, own_nice);
    if (options->check && run.child.ended) {
        int found = check(with, run.trace.name);
        status = status != 0 ? status : found;
    }
    new_trace_free(&run.trace);
    free(shim);
    return status;
}
