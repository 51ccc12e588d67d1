/* One strategy's storm: rounds of publishing, checking and releasing ports. */
#ifndef PORTWITNESS_STORM_ROUNDS_H
#define PORTWITNESS_STORM_ROUNDS_H

#include "harness/storm/checks/check_result.h"
#include "harness/storm/expectation.h"
#include "harness/storm/pool.h"
#include "harness/storm/strategies/strategy.h"
#include "harness/system/network.h"

struct trace_check;

enum storm_check { CHECK_CLAIMS, CHECK_KERNEL, CHECK_REACH, CHECK_TRACE, STORM_CHECKS };

extern const char *const storm_check_names[STORM_CHECKS];

struct storm_plan {
    struct storm_settings settings; /* strategy and window are set for each storm */
    uint32_t rounds;
    const char *policy; /* "kernel": the kernel's own choice */
    bool window_given;  /* else the strategy's own */
    const struct port_range *range;
    struct trace_check *trace;
    char *const *environment; /* of the publishers */
    void (*progress)(const struct strategy *strategy, uint32_t round, uint32_t rounds);
};

struct storm_result {
    const struct strategy *strategy;
    uint32_t rounds; /* that were checked */
    uint64_t published;
    uint64_t collisions;
    uint64_t shared; /* equal ports that are lawful */
    uint64_t lost_races;
    uint64_t lost_given; /* those whose number the kernel had given for port 0 */
    uint64_t double_handouts;
    uint64_t exhausted;
    uint64_t failed; /* for another reason, the first of which is: */
    int failed_error;
    struct endpoint failed_endpoint;
    struct expected expected;
    struct verdict checks[STORM_CHECKS];
    uint64_t *latencies; /* ns, in order once the storm has ended */
    size_t latency_count;
    size_t latency_room;
    uint64_t begin_ns; /* of the storm, CLOCK_MONOTONIC */
    uint64_t end_ns;
    uint64_t publishing_ns; /* from go to the last announcement, over all rounds */
    uint32_t killed;        /* publishers that died */
    uint32_t killed_round;  /* ... the first of them in this round */
    uint64_t killed_ports;  /* that they held in that round */
    uint64_t killed_taken;  /* ... and that were not found free again */
    bool interrupted;
};

/* Runs the storm of one strategy. false, with one line on stderr, where it could not begin. */
bool storm_run(const struct storm_plan *plan, int strategy, struct storm_result *result);

/* The latency in ns that the share `part` (0 to 1) of the publications stayed below. */
uint64_t storm_latency(const struct storm_result *result, double part);

/* Did nothing collide, nothing get lost, and every check agree? */
bool storm_is_good(const struct storm_result *result);

/* Frees what a result holds. */
void storm_result_free(struct storm_result *result);

#endif
