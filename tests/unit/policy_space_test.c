/* The queue of released ports: who gets which, and never two the same at once. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "shim/shared/policy_space.h"
#include "shim/shared/recorder.h"
#include "tests/unit/policy_area.h"

enum { LOW = 40000, HIGH = 40015, NETNS = 5, THREADS = 4, TURNS = 50000 };

static struct policy_space *begin(enum pw_policy_kind kind, uint32_t for_ms) {
    area_begin(
        &(struct pw_policy_config){.kind = kind, .for_ms = for_ms, .low = LOW, .high = HIGH});
    return policy_space(NETNS, false);
}

static void hold(struct policy_space *space, uint16_t port, bool read) {
    policy_port_bound(space, port, port, false);
    if (read)
        policy_port_read(space, port);
}

static void release(struct policy_space *space, uint16_t port) {
    (void)policy_port_released(space, port, port);
}

static void pause_ms(long ms) {
    const struct timespec time = {.tv_nsec = ms * 1000000};
    nanosleep(&time, NULL);
}

static void soonest_gives_the_last_first(void **state) {
    (void)state;
    struct policy_space *space = begin(PW_POLICY_SOONEST, 0);
    assert_int_equal(policy_take_newest(space, 0), 0);
    for (uint16_t port = LOW; port < LOW + 5; port++) {
        hold(space, port, true);
        release(space, port);
    }
    /* One that is released again is the last again, and is there once. */
    hold(space, LOW + 1, true);
    release(space, LOW + 1);
    assert_int_equal(policy_take_newest(space, 0), LOW + 1);
    assert_int_equal(policy_take_newest(space, LOW + 4), LOW + 3); /* not the one to avoid */
    assert_int_equal(policy_take_newest(space, 0), LOW + 4);
    assert_int_equal(policy_take_newest(space, 0), LOW + 2);
    assert_int_equal(policy_take_newest(space, 0), LOW);
    assert_int_equal(policy_take_newest(space, 0), 0);
}

static void the_queue_works_on_when_its_ring_has_gone_round(void **state) {
    (void)state;
    struct policy_space *space = begin(PW_POLICY_SOONEST, 0);
    for (unsigned i = 0; i < 1000; i++) {
        uint16_t port = (uint16_t)(LOW + i % 16);
        hold(space, port, false);
        release(space, port);
        if (i % 3 == 0)
            assert_int_equal(policy_take_newest(space, 0), port);
    }
}

static void a_port_that_fell_out_of_the_ring_is_fresh_again(void **state) {
    (void)state;
    struct policy_space *space = begin(PW_POLICY_QUARANTINE, 60000);
    for (uint16_t port = LOW; port <= HIGH; port++)
        hold(space, port, true);
    hold(space, LOW, false);
    release(space, LOW);
    for (int i = 0; i < 20; i++) {
        hold(space, LOW + 1, false);
        release(space, LOW + 1);
        assert_int_equal(policy_take_newest(space, 0), LOW + 1);
    }
    assert_int_equal(policy_take_newest(space, 0), 0);
    assert_int_equal(policy_take_rested(space, 0), LOW);
}

static void a_port_that_another_socket_has_by_now_is_not_released(void **state) {
    (void)state;
    struct policy_space *space = begin(PW_POLICY_SOONEST, 0);
    policy_port_bound(space, LOW, 77, false);
    assert_int_equal(policy_port_released(space, LOW, 78), 0);
    uint32_t since = policy_releases(space);
    policy_port_noticed(space, LOW, 78, &since);
    assert_int_equal(policy_take_newest(space, 0), 0);
    policy_port_noticed(space, LOW, 77, &since);
    assert_int_equal(policy_take_newest(space, 0), LOW);
}

/* Two ports are released by closes, and then comes the notice of a third, which may be older. */
static void a_late_notice_is_put_behind_what_was_released_since(void **state) {
    (void)state;
    struct policy_space *space = begin(PW_POLICY_SOONEST, 0);
    for (uint16_t port = LOW; port < LOW + 5; port++)
        hold(space, port, true);
    release(space, LOW);
    uint32_t since = policy_releases(space);
    release(space, LOW + 1);
    release(space, LOW + 2);
    policy_port_noticed(space, LOW + 3, LOW + 3, &since);
    policy_port_noticed(space, LOW + 4, LOW + 4, &since);
    assert_int_equal(policy_take_newest(space, 0), LOW + 2);
    assert_int_equal(policy_take_newest(space, 0), LOW + 1);
    assert_int_equal(policy_take_newest(space, 0), LOW + 4);
    assert_int_equal(policy_take_newest(space, 0), LOW + 3);
    assert_int_equal(policy_take_newest(space, 0), LOW);
    assert_int_equal(policy_take_newest(space, 0), 0);
}

static void quarantine_lets_a_known_port_rest_and_recycles_an_unknown_one(void **state) {
    (void)state;
    struct policy_space *space = begin(PW_POLICY_QUARANTINE, 200);
    for (uint16_t port = LOW; port <= HIGH; port++) {
        uint16_t given = policy_take_rested(space, 0);
        assert_true(given >= LOW && given <= HIGH);
        hold(space, given, true);
    }
    assert_int_equal(policy_take_rested(space, 0), 0);
    release(space, LOW + 7);
    assert_int_equal(policy_take_newest(space, 0), 0);
    assert_int_equal(policy_take_rested(space, 0), 0);
    hold(space, LOW + 3, false);
    release(space, LOW + 3);
    assert_int_equal(policy_take_newest(space, 0), LOW + 3);
    pause_ms(250);
    assert_int_equal(policy_take_rested(space, 0), LOW + 7);
}

static void the_oldest_is_the_one_that_has_rested_longest(void **state) {
    (void)state;
    struct policy_space *space = begin(PW_POLICY_QUARANTINE, 60000);
    static const uint16_t order[] = {LOW + 9, LOW + 2, LOW + 15, LOW};
    for (size_t i = 0; i < 4; i++) {
        hold(space, order[i], true);
        release(space, order[i]);
        pause_ms(3);
    }
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(policy_take_oldest(space, 0), order[i]);
    assert_int_equal(policy_take_oldest(space, 0), 0);
}

static void ports_outside_and_spaces_beyond_the_area_are_left_alone(void **state) {
    (void)state;
    struct policy_space *space = begin(PW_POLICY_SOONEST, 0);
    assert_false(policy_space_has(space, LOW - 1));
    assert_false(policy_space_has(space, HIGH + 1));
    hold(space, HIGH + 1, true);
    release(space, HIGH + 1);
    assert_int_equal(policy_take_newest(space, 0), 0);
    assert_true(policy_space(NETNS, true) != space);
    assert_ptr_equal(policy_space(NETNS, false), space);
    for (uint64_t netns = 100; netns < 100 + PW_POLICY_SPACES - 2; netns++)
        assert_non_null(policy_space(netns, false));
    assert_null(policy_space(1000, false));
    assert_null(policy_space(0, false));
}

static struct policy_space *shared;
static _Atomic int holders[HIGH - LOW + 1];
static _Atomic bool twice;

static void *take_and_release(void *unused) {
    (void)unused;
    for (int i = 0; i < TURNS; i++) {
        uint16_t port = policy_take_newest(shared, 0);
        if (port == 0 && policy_config()->kind == PW_POLICY_QUARANTINE)
            port = policy_take_rested(shared, 0);
        if (port == 0 && policy_config()->kind == PW_POLICY_QUARANTINE)
            port = policy_take_oldest(shared, 0);
        if (port == 0)
            continue;
        if (atomic_fetch_add(&holders[port - LOW], 1) != 0)
            atomic_store(&twice, true);
        hold(shared, port, i % 2 == 0);
        atomic_fetch_sub(&holders[port - LOW], 1);
        release(shared, port);
    }
    return NULL;
}

static void nobody_gets_what_another_has(void **state) {
    (void)state;
    static const enum pw_policy_kind kinds[] = {PW_POLICY_SOONEST, PW_POLICY_QUARANTINE};
    for (size_t kind = 0; kind < 2; kind++) {
        pthread_t threads[THREADS];
        shared = begin(kinds[kind], 1);
        for (uint16_t port = LOW; port < LOW + 6; port++) {
            hold(shared, port, false);
            release(shared, port);
        }
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, take_and_release, NULL), 0);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        assert_false(atomic_load(&twice));
        /* What is left can still be had, but for what lies deeper than the ring. */
        unsigned left = 0;
        while (policy_take_newest(shared, 0) != 0 || policy_take_oldest(shared, 0) != 0)
            left++;
        assert_true(left >= 1 && left <= HIGH - LOW + 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(soonest_gives_the_last_first),
        cmocka_unit_test(the_queue_works_on_when_its_ring_has_gone_round),
        cmocka_unit_test(a_port_that_fell_out_of_the_ring_is_fresh_again),
        cmocka_unit_test(a_port_that_another_socket_has_by_now_is_not_released),
        cmocka_unit_test(a_late_notice_is_put_behind_what_was_released_since),
        cmocka_unit_test(quarantine_lets_a_known_port_rest_and_recycles_an_unknown_one),
        cmocka_unit_test(the_oldest_is_the_one_that_has_rested_longest),
        cmocka_unit_test(ports_outside_and_spaces_beyond_the_area_are_left_alone),
        cmocka_unit_test(nobody_gets_what_another_has),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(memory);
    return failed;
}
