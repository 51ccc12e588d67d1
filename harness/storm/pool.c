/* Processes are waited for by their own ids alone, so that other children of the program are left
 * to those who started them. */
#include "harness/storm/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/message.h"
#include "harness/storm/publisher_process.h"
#include "shim/shared/policy_places.h"
#include "shim/shared/policy_space.h"
#include "shim/shared/recorder.h"

#define MS UINT64_C(1000000)
#define LOOK_NS (20 * MS)
#define START_TIMEOUT_NS (120 * 1000 * MS)
#define END_TIMEOUT_NS (500 * MS)

volatile sig_atomic_t pool_interrupted;

static int spawn(pid_t *pid, const char *descriptors[2], uint32_t index,
                 char *const environment[]) {
    static char program[] = "portwitness";
    static char command[] = "storm";
    static char as_publisher[] = PUBLISHER_ARGUMENT;
    char path[PATH_MAX];
    char shared[16];
    char event[16];
    char number[16];
    snprintf(shared, sizeof shared, "%s", descriptors[0]);
    snprintf(event, sizeof event, "%s", descriptors[1]);
    snprintf(number, sizeof number, "%u", index);
    char *arguments[] = {program, command, as_publisher, shared, event, number, NULL};
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0)
        return errno;
    path[length] = '\0';
    return posix_spawn(pid, path, NULL, NULL, arguments, environment);
}

/* Each publisher is the command's child that it is by its number. */
static void policy_place(pid_t pid, uint32_t index) {
    if (policy_config()->kind == PW_POLICY_SEEDED)
        place_enter(place_of_child(PLACE_ROOT, index + 1), place_key(pid));
}

static bool start_all(struct publisher_pool *pool, int shared_descriptor,
                      char *const environment[]) {
    char shared[16];
    char event[16];
    const char *descriptors[2] = {shared, event};
    snprintf(shared, sizeof shared, "%d", shared_descriptor);
    snprintf(event, sizeof event, "%d", pool->event);
    for (uint32_t i = 0; i < pool->count && !pool_interrupted; i++) {
        int error = spawn(&pool->members[i].pid, descriptors, i, environment);
        if (error != 0)
            return complain("storm", "publisher %u cannot be started: %s", i + 1, strerror(error));
        policy_place(pool->members[i].pid, i);
        pool->members[i].alive = true;
        pool->living++;
    }
    return true;
}

bool pool_start(struct publisher_pool *pool, struct shared_state *shared, int shared_descriptor,
                char *const environment[]) {
    *pool = (struct publisher_pool){.shared = shared, .count = shared->settings.publishers};
    pool->members = calloc(pool->count, sizeof *pool->members);
    pool->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    bool good = pool->members != NULL && pool->event >= 0;
    if (!good)
        complain("storm", "%s", strerror(errno));
    /* The two descriptors that a publisher inherits. */
    if (good) {
        fcntl(pool->event, F_SETFD, 0);
        fcntl(shared_descriptor, F_SETFD, 0);
        atomic_store(&shared->awaited, pool->count);
        good = start_all(pool, shared_descriptor, environment);
    }
    if (good)
        pool_await(pool, 0, PHASE_STARTED, START_TIMEOUT_NS);
    if (good && pool->living == 0 && !pool_interrupted) {
        good = complain("storm", "no publisher started");
    }
    if (!good)
        pool_end(pool);
    return good;
}

static bool all_reached(struct publisher_pool *pool, uint64_t progress) {
    for (uint32_t i = 0; i < pool->count; i++)
        if (pool->members[i].alive &&
            atomic_load(&shared_slot(pool->shared, i)->progress) < progress)
            return false;
    return true;
}

static void kill_late(struct publisher_pool *pool, uint64_t progress) {
    for (uint32_t i = 0; i < pool->count; i++)
        if (pool->members[i].alive &&
            atomic_load(&shared_slot(pool->shared, i)->progress) < progress)
            kill(pool->members[i].pid, SIGKILL);
}

uint32_t pool_reap(struct publisher_pool *pool) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < pool->count; i++) {
        struct member *member = &pool->members[i];
        if (!member->alive || waitpid(member->pid, &member->status, WNOHANG) != member->pid)
            continue;
        member->alive = false;
        pool->living--;
        found++;
    }
    return found;
}

bool pool_await(struct publisher_pool *pool, uint32_t round, enum phase phase,
                uint64_t patience_ns) {
    uint64_t progress = (uint64_t)round * 4 + phase;
    uint64_t begin = monotonic_ns();
    for (;;) {
        uint32_t seen = atomic_load(&pool->shared->complete);
        if (all_reached(pool, progress))
            return !pool_interrupted;
        if (pool_interrupted)
            return false;
        shared_wait(&pool->shared->complete, seen, LOOK_NS);
        pool_reap(pool);
        if (monotonic_ns() - begin > patience_ns)
            kill_late(pool, progress);
    }
}

static void expect_all(struct publisher_pool *pool) {
    atomic_store(&pool->shared->arrived, 0);
    atomic_store(&pool->shared->awaited, pool->living);
}

bool pool_publish(struct publisher_pool *pool, uint32_t round, uint64_t patience_ns) {
    expect_all(pool);
    pool->shared->go_ns = monotonic_ns();
    atomic_store(&pool->shared->round, round);
    shared_wake(&pool->shared->round);
    return pool_await(pool, round, PHASE_ANNOUNCED, patience_ns);
}

bool pool_release(struct publisher_pool *pool, uint32_t round, uint64_t patience_ns) {
    expect_all(pool);
    eventfd_write(pool->event, 1);
    bool good = pool_await(pool, round, PHASE_FREED, patience_ns);
    eventfd_t drained;
    if (good)
        eventfd_read(pool->event, &drained);
    return good;
}

void pool_end(struct publisher_pool *pool) {
    const uint64_t begin = monotonic_ns();
    if (pool->members != NULL) {
        atomic_store(&pool->shared->ended, 1);
        atomic_fetch_add(&pool->shared->round, 1);
        shared_wake(&pool->shared->round);
        eventfd_write(pool->event, 1);
        while (pool->living > 0) {
            pool_reap(pool);
            if (pool->living == 0)
                break;
            bool late = pool_interrupted || monotonic_ns() - begin > END_TIMEOUT_NS;
            for (uint32_t i = 0; late && i < pool->count; i++)
                if (pool->members[i].alive)
                    kill(pool->members[i].pid, SIGKILL);
            usleep(1000);
        }
    }
    if (pool->event >= 0)
        close(pool->event);
    free(pool->members);
    *pool = (struct publisher_pool){.event = -1};
}
