/* What `run` reads in /proc, and how much room it makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "harness/system/process_facts.h"
#include "harness/trace/populate.h"
#include "shim/shared/trace_format.h"

static void a_name_may_hold_parentheses_and_spaces(void **state) {
    (void)state;
    struct process_facts facts;
    assert_true(process_facts_parse("12 (a) b (c) S 34 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 "
                                    "987654 1 2",
                                    &facts));
    assert_string_equal(facts.comm, "a) b (c");
    assert_int_equal(facts.state, 'S');
    assert_int_equal(facts.parent, 34);
    assert_int_equal(facts.start_time, 987654);
}

static void what_is_cut_is_refused(void **state) {
    (void)state;
    static const char whole[] = "12 (x) S 34 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 9";
    struct process_facts facts;
    assert_true(process_facts_parse(whole, &facts));
    char text[sizeof whole];
    for (size_t length = 0; length + 1 < sizeof whole - 1; length++) {
        memcpy(text, whole, length);
        text[length] = '\0';
        assert_false(process_facts_parse(text, &facts));
    }
}

static void we_are_our_own_descendant_and_our_parents(void **state) {
    (void)state;
    struct process_facts facts;
    assert_true(process_facts_read(getpid(), &facts));
    assert_int_equal(facts.parent, getppid());
    assert_true(process_descends_from(getpid(), getpid()));
    if (getppid() > 1)
        assert_true(process_descends_from(getpid(), getppid()));
    assert_false(process_descends_from(1, getpid()));
    assert_int_not_equal(process_own_namespace(), 0);
}

static void room_is_ahead_of_use_and_never_beyond_the_capacity(void **state) {
    (void)state;
    const uint64_t mebibyte = 1 << 20;
    const uint64_t capacity = 100 * mebibyte;
    assert_true(populate_goal(PW_UNITS_OFFSET, 0, capacity) >= PW_UNITS_OFFSET + 4 * mebibyte);
    assert_true(populate_goal(10 * mebibyte, 2 * mebibyte, capacity) >= 26 * mebibyte);
    assert_int_equal(populate_goal(97 * mebibyte, 0, capacity), capacity);
    assert_int_equal(populate_goal(200 * mebibyte, mebibyte, capacity), capacity);
    assert_int_equal(populate_goal(50 * mebibyte, UINT64_MAX / 64, capacity), capacity);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_may_hold_parentheses_and_spaces),
        cmocka_unit_test(what_is_cut_is_refused),
        cmocka_unit_test(we_are_our_own_descendant_and_our_parents),
        cmocka_unit_test(room_is_ahead_of_use_and_never_beyond_the_capacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
