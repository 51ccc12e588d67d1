/* Parallel simulated port publishers, and four checks of what they came by. */
#include "harness/storm/storm.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/message.h"
#include "harness/base/output.h"
#include "harness/base/progress.h"
#include "harness/base/statuses.h"
#include "harness/check/check.h"
#include "harness/run/run_environment.h"
#include "harness/storm/background.h"
#include "harness/storm/checks/trace_check.h"
#include "harness/storm/rounds.h"
#include "harness/storm/storm_mappings.h"
#include "harness/storm/storm_report.h"
#include "harness/trace/cut_trace.h"
#include "harness/trace/new_trace.h"
#include "harness/trace/populate.h"
#include "shim/shared/policy_space.h"
#include "shim/shared/program_file.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

struct session {
    const struct storm_options *options;
    struct storm_plan plan;
    struct port_range range;
    struct new_trace trace;
    struct background background;
    struct storm_result results[STORM_STRATEGIES_MAX];
    char **environment;
    char folder[64]; /* of a temporary trace; "" where the user named one */
    bool trace_made;
    unsigned done;
    unsigned left_out;
};

static int fail(const char *what) {
    complain("storm", "%s: %s", what, strerror(errno));
    return STATUS_FAILED;
}

static void interrupt(int number) {
    (void)number;
    pool_interrupted = 1;
}

static void take_signals(void) {
    const struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

/* Signals go to the thread that waits for publishers, not to the one that makes room. */
static void populate_without_signals(void) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* of a trace that was cut */
    sigprocmask(SIG_SETMASK, &all, &before);
    populate_start();
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static int enter_network(struct session *session) {
    const struct storm_options *options = session->options;
    const char *problem =
        options->private_net ? network_make_private(options->range_low, options->range_high) : NULL;
    if (problem != NULL)
        return fail(problem);
    if (!port_range_read(&session->range))
        return fail("the local port range cannot be read");
    session->plan.settings.range_low = session->range.low;
    session->plan.settings.range_high = session->range.high;
    return 0;
}

/* Made before there is anybody to make them twice. */
static void make_policy_spaces(void) {
    uint64_t netns = 0;
    socklen_t size = sizeof netns;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (policy_area() == NULL || fd < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &netns, &size) != 0)
        netns = 0;
    (void)policy_space(netns, false);
    (void)policy_space(netns, true);
    if (fd >= 0)
        close(fd);
}

static int make_trace(struct session *session) {
    struct new_trace_plan plan = {.name = session->options->trace,
                                  .group = (gid_t)-1,
                                  .no_ebpf = "portwitness storm",
                                  .policy = session->options->policy};
    char name[96];
    if (plan.name == NULL) {
        const char *parent = getenv("TMPDIR");
        if (parent == NULL || strlen(parent) > sizeof session->folder - 32)
            parent = "/tmp";
        snprintf(session->folder, sizeof session->folder, "%s/portwitness-storm-XXXXXX", parent);
        if (mkdtemp(session->folder) == NULL) {
            int status = fail(session->folder);
            session->folder[0] = '\0';
            return status;
        }
        snprintf(name, sizeof name, "%s/storm.trace", session->folder);
        plan.name = name;
    }
    if (!new_trace_make(&session->trace, &plan))
        return session->options->trace != NULL ? STATUS_USAGE : STATUS_FAILED;
    session->trace_made = true;
    make_policy_spaces();
    if (strlen(session->trace.absolute) >= sizeof session->plan.settings.trace) {
        errno = ENAMETOOLONG;
        return fail(session->trace.absolute);
    }
    memcpy(session->plan.settings.trace, session->trace.absolute,
           strlen(session->trace.absolute) + 1);
    session->plan.trace = trace_check_open(session->trace.absolute);
    return session->plan.trace != NULL ? 0 : STATUS_FAILED;
}

static int make_environment(struct session *session) {
    static struct program_facts facts;
    char *shim = environment_find_shim();
    if (shim == NULL)
        return STATUS_FAILED;
    (void)program_inspect("/proc/self/exe", NULL, &facts);
    const struct run_environment plan = {.shim = shim,
                                         .trace = session->trace.absolute,
                                         .sanitizer = facts.sanitizer,
                                         .follow = true,
                                         .policy = &session->options->policy.config};
    session->environment = environment_make(environ, &plan);
    free(shim);
    session->plan.environment = session->environment;
    return session->environment != NULL ? 0 : fail("environment");
}

static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int prepare(struct session *session) {
    const struct storm_options *options = session->options;
    struct storm_settings *settings = &session->plan.settings;
    *settings = (struct storm_settings){.publishers = options->publishers,
                                        .daemons = options->daemons,
                                        .seed = options->seed,
                                        .window_min_ns = options->window_min_ns,
                                        .window_max_ns = options->window_max_ns,
                                        .reuse_address = options->reuse_address,
                                        .reuse_port = options->reuse_port,
                                        .probes_closed_at_once = options->probes_closed_at_once};
    session->plan.rounds = options->rounds;
    session->plan.policy = session->options->policy.text;
    session->plan.window_given = options->window_given;
    session->plan.range = &session->range;
    session->plan.progress = storm_report_progress;
    if (!storm_mappings_read(settings, options->file, &session->left_out))
        return STATUS_USAGE;
    raise_descriptor_limit();
    int status = enter_network(session);
    if (status == 0)
        status = make_trace(session);
    if (status == 0)
        status = make_environment(session);
    return status;
}

static int run_all(struct session *session) {
    const struct storm_options *options = session->options;
    take_signals();
    cut_trace_survive();
    if (!background_start(&session->background, options->background, session->range.low,
                          session->range.high))
        return fail("background");
    populate_without_signals();
    int status = 0;
    for (unsigned i = 0; status == 0 && i < options->strategy_count && !pool_interrupted; i++) {
        if (!storm_run(&session->plan, options->strategies[i], &session->results[i]))
            status = STATUS_FAILED;
        else
            session->done++;
    }
    populate_stop();
    progress_end();
    if (cut_trace_seen())
        complain("storm", "%s was cut by somebody: records are lost", session->trace.name);
    return status;
}

/* The checker knows nothing of what publishers noted: it must find each race that was lost for a
 * number that the kernel had given, and no claim on what another holds. */
static void compare_findings(const struct check *check, struct storm_result *result) {
    struct verdict *verdict = &result->checks[CHECK_TRACE];
    uint64_t lost = 0;
    uint64_t collisions = 0;
    for (size_t i = 0; i < check->findings.count; i++) {
        const struct finding *finding = &check->findings.list[i];
        bool here = finding->ns >= result->begin_ns && finding->ns <= result->end_ns;
        /* A publisher that picked its number over another protocol, as Podman does, and found it in
         * use reports it as lost too. */
        lost += here && (finding->kind == FINDING_LOST_RACE || cause_is_other_pick(finding->cause));
        collisions += here && finding->kind == FINDING_COLLISION;
    }
    if (result->killed > 0 || result->interrupted)
        return; /* what was in the middle was not noted */
    if (lost != result->lost_given)
        verdict_differs(verdict,
                        "the trace has %" PRIu64 " lost race%s, the publishers report %" PRIu64,
                        lost, plural(lost), result->lost_given);
    if ((collisions > 0) != (result->collisions > 0))
        verdict_differs(verdict, "the trace has %" PRIu64 " collision%s, the claims have %" PRIu64,
                        collisions, plural(collisions), result->collisions);
}

static bool conclude(struct session *session) {
    const char *path = session->trace.absolute;
    struct check check = {0};
    bool good = session->done == 0 || check_run(&check, &path, 1, NULL, NULL);
    for (unsigned i = 0; good && i < session->done; i++)
        compare_findings(&check, &session->results[i]);
    check_free(&check);
    return good;
}

static int report(struct session *session) {
    const struct storm_report all = {.plan = &session->plan,
                                     .results = session->results,
                                     .count = session->done,
                                     .background = session->options->background,
                                     .left_out = session->left_out};
    output_begin(); /* no publisher is left that would inherit it */
    if (session->options->json)
        storm_report_json(&all);
    else
        storm_report_table(&all);
    if (!output_finish())
        return STATUS_FAILED;
    if (pool_interrupted)
        return STATUS_SIGNALLED + SIGINT;
    for (unsigned i = 0; i < session->done; i++)
        if (!storm_is_good(&session->results[i]))
            return STATUS_FOUND;
    return 0;
}

static void clean_up(struct session *session, int status) {
    background_stop(&session->background);
    trace_check_close(session->plan.trace);
    environment_free(session->environment);
    bool nothing_in_it = status != 0 && session->done == 0;
    if (session->trace_made && (session->folder[0] != '\0' || nothing_in_it))
        new_trace_remove(&session->trace);
    if (session->folder[0] != '\0')
        (void)rmdir(session->folder);
    new_trace_free(&session->trace);
    for (unsigned i = 0; i < STORM_STRATEGIES_MAX; i++)
        storm_result_free(&session->results[i]);
}

int storm(const struct storm_options *options) {
    static struct session session;
    session.options = options;
    int status = prepare(&session);
    if (status == 0)
        status = run_all(&session);
    if (status == 0 && !conclude(&session))
        status = STATUS_FAILED;
    if (status == 0)
        status = report(&session);
    clean_up(&session, status);
    return status;
}
