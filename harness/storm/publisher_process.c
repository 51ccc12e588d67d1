/*
 * A publisher is a program of its own, so that the shim is in it as in any guest: what it does is
 * seen by the same wrappers, and it writes the record of its claim itself.
 */
#include "harness/storm/publisher_process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "harness/base/message.h"
#include "harness/base/statuses.h"
#include "harness/storm/answer.h"
#include "harness/storm/strategies/strategy.h"
#include "shim/shared/recorder.h"
#include "shim/shared/trace_file.h"

enum { ROUND_WAIT_SECONDS = 3600 };

#define SECOND_NS UINT64_C(1000000000)

/* Shows the storm how far we are; the last one wakes it. */
static void arrive(struct publisher *publisher, uint32_t round, enum phase phase) {
    struct shared_state *shared = publisher->shared;
    atomic_store(&publisher->slot->progress, (uint64_t)round * 4 + phase);
    if (atomic_fetch_add(&shared->arrived, 1) + 1 != atomic_load(&shared->awaited))
        return;
    atomic_fetch_add(&shared->complete, 1);
    shared_wake(&shared->complete);
}

/* Numbers that the user named are chosen before the strategy is asked. */
static void begin_publications(struct publisher *publisher) {
    for (uint32_t i = 0; i < publisher->settings->mappings; i++) {
        struct publication *publication = &publisher->publications[i];
        *publication = (struct publication){.mapping = &publisher->settings->mapping[i],
                                            .endpoint = publisher->settings->mapping[i].endpoint,
                                            .socket = -1};
        if (publication->mapping->host_port <= 0)
            continue;
        publisher_attempt(publisher, publication)->named = true;
        publisher_chose(publication, (unsigned)publication->mapping->host_port);
    }
}

static void publish_round(struct publisher *publisher, const struct strategy *strategy,
                          uint32_t round) {
    publisher_seed(publisher, round);
    atomic_store(&publisher->slot->attempt_count, 0);
    atomic_store(&publisher->slot->progress, (uint64_t)round * 4); /* should we die in it */
    atomic_store(&publisher->slot->announced_count, 0);
    publisher->answer = publisher->slot->token;
    begin_publications(publisher);
    strategy->choose(publisher);
    publisher_pause(publisher, publisher->settings->window_min_ns,
                    publisher->settings->window_max_ns);
    strategy->hold(publisher);
    strategy->announce(publisher);
    publisher->slot->announced_ns = monotonic_ns();
    arrive(publisher, round, PHASE_ANNOUNCED);
    answer_until_event(publisher);
    strategy->release(publisher);
    trace_views_make_ready(&publisher->views);
    arrive(publisher, round, PHASE_FREED);
}

static void publish(struct publisher *publisher) {
    const struct strategy *strategy = publisher->strategy;
    struct shared_state *shared = publisher->shared;
    uint32_t done = 0;
    arrive(publisher, 0, PHASE_STARTED);
    for (;;) {
        uint32_t round = atomic_load(&shared->round);
        if (atomic_load(&shared->ended) != 0)
            return;
        if (round == done) {
            shared_wait(&shared->round, round, ROUND_WAIT_SECONDS * SECOND_NS);
            continue;
        }
        publish_round(publisher, strategy, round);
        done = round;
    }
}

static int fail(const char *what) {
    complain(NULL, "publisher: %s: %s", what, strerror(errno));
    return STATUS_FAILED;
}

int publisher_main(int argc, char **argv) {
    struct publisher publisher = {0};
    struct trace_map map = {0};
    struct trace_problem problem = {0};
    if (argc < 3) {
        errno = EINVAL;
        return fail("arguments");
    }
    /* A storm that is killed takes its publishers with it; a Ctrl-C is the storm's to handle. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    publisher.shared = shared_open(atoi(argv[0]));
    if (publisher.shared == NULL)
        return fail("shared state");
    publisher.phase_event = atoi(argv[1]);
    publisher.index = (uint32_t)atoi(argv[2]);
    publisher.settings = &publisher.shared->settings;
    publisher.strategy = &strategies[publisher.settings->strategy];
    publisher.slot = shared_slot(publisher.shared, publisher.index);
    publisher.publications = calloc(publisher.settings->mappings, sizeof *publisher.publications);
    if (publisher.publications == NULL)
        return fail("memory");
    if (!trace_open(publisher.settings->trace, &map, &problem)) {
        errno = problem.error;
        return fail(problem.what);
    }
    recorder_attach(&map);
    trace_views_find(&publisher.views, map.base);
    publisher.pid = (uint32_t)getpid();
    publisher.uid = (uint32_t)geteuid();
    publish(&publisher);
    free(publisher.publications);
    return 0;
}
