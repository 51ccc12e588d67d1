/* What somebody meant who wrote something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "harness/base/near_miss.h"

static const char *const names[] = {"run", "check", "stress", "reserve", "ports", "policy"};
enum { NAMES = sizeof names / sizeof *names };

static void a_slip_is_one_letter_or_two_that_are_swapped(void **state) {
    (void)state;
    assert_int_equal(edit_distance("", ""), 0);
    assert_int_equal(edit_distance("run", "run"), 0);
    assert_int_equal(edit_distance("rn", "run"), 1);
    assert_int_equal(edit_distance("runn", "run"), 1);
    assert_int_equal(edit_distance("ran", "run"), 1);
    assert_int_equal(edit_distance("urn", "run"), 1);
    assert_int_equal(edit_distance("", "run"), 3);
    assert_int_equal(edit_distance("kitten", "sitting"), 3);
    assert_int_equal(edit_distance("prots", "sport"), edit_distance("sport", "prots"));
}

static void the_nearest_name_is_meant(void **state) {
    (void)state;
    assert_string_equal(near_miss("rn", names, NAMES), "run");
    assert_string_equal(near_miss("chekc", names, NAMES), "check");
    assert_string_equal(near_miss("polcy", names, NAMES), "policy");
    assert_string_equal(near_miss("stres", names, NAMES), "stress");
    assert_string_equal(near_miss("preserve", names, NAMES), "reserve");
}

static void nothing_is_meant_by_what_is_far(void **state) {
    (void)state;
    assert_null(near_miss("frobnicate", names, NAMES));
    assert_null(near_miss("", names, NAMES));
    assert_null(near_miss("x", names, NAMES));
    assert_null(near_miss("cd", names, NAMES));
    assert_null(near_miss("run", names, 0));
}

static void long_words_are_no_danger(void **state) {
    (void)state;
    char word[4096];
    memset(word, 'r', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    assert_null(near_miss(word, names, 1));
    assert_int_equal(edit_distance(word, word), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_is_one_letter_or_two_that_are_swapped),
        cmocka_unit_test(the_nearest_name_is_meant),
        cmocka_unit_test(nothing_is_meant_by_what_is_far),
        cmocka_unit_test(long_words_are_no_danger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
