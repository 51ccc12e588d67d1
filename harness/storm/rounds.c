/*
 * Publishers announce, then everything stands still while four checks look at it, each in its own
 * way; then all ports are released. A publisher that dies is counted, and the others go on without
 * it.
 */
#include "harness/storm/rounds.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/memory.h"
#include "harness/base/message.h"
#include "harness/storm/checks/claims_check.h"
#include "harness/storm/checks/kernel_check.h"
#include "harness/storm/checks/reach_check.h"
#include "harness/storm/checks/trace_check.h"
#include "harness/storm/statistics.h"
#include "shim/shared/recorder.h"

/* Beyond the window; a publisher that needs longer hangs. */
#define TIMEOUT_NS UINT64_C(60000000000)

const char *const storm_check_names[STORM_CHECKS] = {"claims", "kernel", "reach", "trace"};

struct storm {
    const struct storm_plan *plan;
    struct storm_result *result;
    struct shared_state *shared;
    struct publisher_pool pool;
    struct announced *announced;
    size_t announced_room;
    struct claimant *claimants;
    size_t claimant_room;
};

static struct announcements gather(struct storm *storm) {
    const struct storm_settings *settings = &storm->shared->settings;
    struct announcements all = {.udp_may_share = settings->reuse_address || settings->reuse_port,
                                .tcp_may_share = settings->reuse_port};
    for (uint32_t i = 0; i < storm->pool.count; i++) {
        const struct slot *slot = shared_slot(storm->shared, i);
        const struct endpoint *endpoints = shared_announced(storm->shared, i);
        uint32_t count = atomic_load(&slot->announced_count);
        pid_t pid = storm->pool.members[i].pid;
        if (!storm->pool.members[i].alive)
            continue;
        storm->claimants = memory_grow(storm->claimants, &storm->claimant_room,
                                       all.claimant_count + 1, sizeof *storm->claimants);
        storm->claimants[all.claimant_count++] = (struct claimant){slot->serial, pid};
        storm->announced = memory_grow(storm->announced, &storm->announced_room,
                                       all.count + count + 1, sizeof *storm->announced);
        for (uint32_t j = 0; j < count; j++)
            storm->announced[all.count++] = (struct announced){
                .endpoint = endpoints[j], .token = slot->token, .serial = slot->serial, .pid = pid};
    }
    all.list = storm->announced;
    all.claimants = storm->claimants;
    return all;
}

/* Can the endpoint be bound again? Somebody alive may have been given it meanwhile. */
static bool is_free_again(struct storm *storm, const struct endpoint *endpoint) {
    const struct socket_options options = {.listening = false};
    struct endpoint tried = *endpoint;
    int fd = socket_publish(&tried, &options);
    if (fd >= 0) {
        close(fd);
        return true;
    }
    if (errno != EADDRINUSE)
        return true;
    const struct announcements all = gather(storm);
    for (size_t i = 0; i < all.count; i++)
        if (endpoints_overlap(&all.list[i].endpoint, endpoint))
            return true;
    return false;
}

/* The trace cannot know of a death by a signal unless somebody records it. */
static void record_end(uint64_t serial, pid_t pid) {
    struct record record;
    if (!record_begin(&record, PW_KIND_PROCESS_EXIT, 2, serial, -1, monotonic_ns()))
        return;
    record.units[0].start.source = PW_SOURCE_SUPERVISOR;
    record.units[0].start.flags = PW_FLAG_SIGNALLED;
    record.units[1].process.pid = (uint32_t)pid;
    record.units[1].process.uid = UINT32_MAX;
    record.units[1].process.serial = serial;
    record_commit(&record, 0);
}

/* Are the ports that a dead publisher held in this round free again? */
static void look_for_ports(struct storm *storm, uint32_t index) {
    const struct slot *slot = shared_slot(storm->shared, index);
    const struct attempt *attempts = shared_attempts(storm->shared, index);
    uint32_t count = atomic_load(&slot->attempt_count);
    if (atomic_load(&slot->progress) % 4 == PHASE_FREED)
        return;
    for (uint32_t i = 0; i < count; i++) {
        if (attempts[i].outcome != ATTEMPT_HELD)
            continue;
        storm->result->killed_ports++;
        storm->result->killed_taken += !is_free_again(storm, &attempts[i].endpoint);
    }
}

/* Counts who died since the last call, once all the others have announced. true if any did. */
static bool reap_dead(struct storm *storm, uint32_t round) {
    bool any = false;
    pool_reap(&storm->pool);
    for (uint32_t i = 0; i < storm->pool.count; i++) {
        struct member *member = &storm->pool.members[i];
        struct slot *slot = shared_slot(storm->shared, i);
        if (member->alive || member->end_recorded)
            continue;
        any = true;
        member->end_recorded = true;
        record_end(slot->serial, member->pid);
        if (storm->result->killed++ == 0)
            storm->result->killed_round = round;
        for (uint32_t j = 0; j < storm->shared->settings.daemons; j++)
            allocator_forget(shared_allocator(storm->shared, j), i);
        look_for_ports(storm, i);
        atomic_store(&slot->announced_count, 0);
        atomic_store(&slot->attempt_count, 0);
        slot->announced_ns = 0;
    }
    return any;
}

static void check_all(struct storm *storm, const struct announcements *announcements,
                      struct claims_result *claims, struct verdict verdicts[STORM_CHECKS]) {
    const struct port_range *range = storm->plan->range;
    claims_check(announcements, claims, &verdicts[CHECK_CLAIMS]);
    kernel_check(announcements, &verdicts[CHECK_KERNEL]);
    reach_check(announcements, range->low, range->high, &verdicts[CHECK_REACH]);
}

/* If somebody dies under the checks, what they said is of no use; the others are asked again. The
 * trace comes last, once, when it has records of the dead. */
static void check_round(struct storm *storm, uint32_t round) {
    struct storm_result *result = storm->result;
    struct verdict verdicts[STORM_CHECKS];
    struct claims_result claims;
    struct announcements announcements;
    do {
        memset(verdicts, 0, sizeof verdicts);
        claims = (struct claims_result){0};
        announcements = gather(storm);
        check_all(storm, &announcements, &claims, verdicts);
    } while (!pool_interrupted && reap_dead(storm, round));
    if (pool_interrupted)
        return;
    trace_check_compare(storm->plan->trace, &announcements, &verdicts[CHECK_TRACE]);
    for (int i = 0; i < STORM_CHECKS; i++)
        verdict_add(&result->checks[i], &verdicts[i]);
    result->collisions += claims.collisions;
    result->shared += claims.shared;
    result->published += announcements.count;
    result->rounds = round;
}

static bool run_round(struct storm *storm, uint32_t round) {
    uint64_t timeout = TIMEOUT_NS + storm->shared->settings.window_max_ns;
    if (!pool_publish(&storm->pool, round, timeout))
        return false;
    reap_dead(storm, round);
    check_round(storm, round);
    if (pool_interrupted)
        return false;
    statistics_round(storm->result, storm->plan, storm->shared);
    bool good = pool_release(&storm->pool, round, timeout);
    reap_dead(storm, round);
    return good && storm->pool.living > 0;
}

/* Publishers learn from the shared who they are in the trace, and what to answer. */
static bool introduce(struct storm *storm) {
    uint64_t token = monotonic_ns() ^ storm->shared->settings.seed << 20;
    trace_check_skip(storm->plan->trace);
    for (uint32_t i = 0; i < storm->pool.count; i++) {
        struct slot *slot = shared_slot(storm->shared, i);
        slot->serial = trace_check_serial(storm->plan->trace, storm->pool.members[i].pid);
        slot->token = (token += UINT64_C(0x9e3779b97f4a7c15));
        if (slot->serial == 0 && storm->pool.members[i].alive)
            return complain("storm", "publisher %u is not in the trace: the shim is not in it",
                            i + 1);
    }
    return true;
}

static void run_rounds(struct storm *storm) {
    for (uint32_t round = 1; round <= storm->plan->rounds; round++) {
        if (storm->plan->progress != NULL)
            storm->plan->progress(storm->result->strategy, round - 1, storm->plan->rounds);
        if (!run_round(storm, round))
            break;
    }
    storm->result->interrupted = pool_interrupted != 0;
}

static int by_size(const void *one, const void *other) {
    uint64_t a = *(const uint64_t *)one;
    uint64_t b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

bool storm_run(const struct storm_plan *plan, int strategy, struct storm_result *result) {
    struct storm storm = {.plan = plan, .result = result};
    struct storm_settings settings = plan->settings;
    int descriptor = -1;
    *result = (struct storm_result){.strategy = &strategies[strategy], .begin_ns = monotonic_ns()};
    settings.strategy = (uint32_t)strategy;
    if (!plan->window_given) {
        settings.window_min_ns = result->strategy->window_min_ns;
        settings.window_max_ns = result->strategy->window_max_ns;
    }
    storm.shared = shared_create(&settings, &descriptor);
    if (storm.shared == NULL)
        return complain("storm", "shared memory: %s", strerror(errno));
    bool good = pool_start(&storm.pool, storm.shared, descriptor, plan->environment);
    if (good) {
        good = pool_interrupted || introduce(&storm);
        if (good)
            run_rounds(&storm);
        pool_end(&storm.pool);
    }
    result->end_ns = monotonic_ns();
    if (result->latency_count > 0)
        qsort(result->latencies, result->latency_count, sizeof *result->latencies, by_size);
    free(storm.announced);
    free(storm.claimants);
    shared_close(storm.shared);
    close(descriptor);
    return good;
}

uint64_t storm_latency(const struct storm_result *result, double part) {
    if (result->latency_count == 0)
        return 0;
    return result->latencies[(size_t)((double)(result->latency_count - 1) * part)];
}

bool storm_is_good(const struct storm_result *result) {
    for (int i = 0; i < STORM_CHECKS; i++)
        if (result->checks[i].differences > 0)
            return false;
    return result->collisions == 0 && result->lost_races == 0 && result->failed == 0 &&
           result->killed_taken == 0;
}

void storm_result_free(struct storm_result *result) {
    free(result->latencies);
    *result = (struct storm_result){0};
}
