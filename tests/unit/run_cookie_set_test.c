/* The set of live sockets, against a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>

#include "harness/run/cookie_set.h"

enum { COOKIES = 5000, STEPS = 200000, LIVE_AT_MOST = 300 };

static uint32_t next_number(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void an_empty_set_has_nothing_to_take(void **state) {
    (void)state;
    struct cookie_set set = {0};
    assert_false(cookie_set_take(&set, 1));
    cookie_set_add(&set, 0);
    assert_int_equal(set.used, 0);
    assert_false(cookie_set_take(&set, 0));
    cookie_set_free(&set);
}

static void it_holds_what_was_added_and_not_taken(void **state) {
    (void)state;
    static bool expected[COOKIES + 1];
    struct cookie_set set = {0};
    uint32_t seed = 7;
    size_t live = 0;
    for (int i = 0; i < STEPS; i++) {
        uint64_t cookie = 1 + next_number(&seed) % COOKIES;
        if (next_number(&seed) % 2 == 0) {
            cookie_set_add(&set, cookie);
            live += expected[cookie] ? 0 : 1;
            expected[cookie] = true;
        } else {
            assert_int_equal(cookie_set_take(&set, cookie), expected[cookie]);
            live -= expected[cookie] ? 1 : 0;
            expected[cookie] = false;
        }
        assert_int_equal(set.used, live);
    }
    for (uint64_t cookie = 1; cookie <= COOKIES; cookie++)
        assert_int_equal(cookie_set_take(&set, cookie), expected[cookie]);
    assert_int_equal(set.used, 0);
    cookie_set_free(&set);
}

static void it_does_not_grow_with_what_has_gone(void **state) {
    (void)state;
    struct cookie_set set = {0};
    for (uint64_t cookie = 1; cookie <= 1000000; cookie++) {
        cookie_set_add(&set, cookie);
        if (cookie > LIVE_AT_MOST)
            assert_true(cookie_set_take(&set, cookie - LIVE_AT_MOST));
    }
    assert_int_equal(set.used, LIVE_AT_MOST);
    assert_true(set.room <= 1024);
    cookie_set_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_set_has_nothing_to_take),
        cmocka_unit_test(it_holds_what_was_added_and_not_taken),
        cmocka_unit_test(it_does_not_grow_with_what_has_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
