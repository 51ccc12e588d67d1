/* What of a test's name is the same in each run. */
#include "harness/base/test_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_name(const char *name, const char *expected) {
    assert_int_equal(test_name_length(name), strlen(expected));
    assert_int_equal(strncmp(name, expected, strlen(expected)), 0);
}

static void phase_and_worker_are_left_off(void **state) {
    (void)state;
    assert_name("test_a.py::test_up (call)", "test_a.py::test_up");
    assert_name("test_a.py::test_up (setup) [gw0]", "test_a.py::test_up");
    assert_name("test_a.py::test_up (teardown) [gw12]", "test_a.py::test_up");
    assert_name("test_up [gw3]", "test_up");
    assert_name("JEST_WORKER_ID=3", "");
}

static void the_rest_stays(void **state) {
    (void)state;
    assert_name("test_up[2] (call) [gw1]", "test_up[2]");
    assert_name("test_up[gw1]", "test_up[gw1]");
    assert_name("test_up [gw]", "test_up [gw]");
    assert_name("listens (twice)", "listens (twice)");
    assert_name("", "");
    assert_name("]", "]");
    assert_name("1]", "1]");
}

static void assert_text(const char *name, const char *expected) {
    char text[TEST_NAME_TEXT_SIZE];
    assert_string_equal(test_name_text(name, text), expected);
}

static void people_see_the_worker_in_brackets_and_no_call(void **state) {
    (void)state;
    assert_text("test_a.py::test_up (call) [gw1]", "test_a.py::test_up (gw1)");
    assert_text("test_a.py::test_up (setup) [gw1]", "test_a.py::test_up (setup, gw1)");
    assert_text("test_a.py::test_up (teardown)", "test_a.py::test_up (teardown)");
    assert_text("test_up[2] (call)", "test_up[2]");
    assert_text("listens (twice)", "listens (twice)");
    assert_text("JEST_WORKER_ID=3", "JEST_WORKER_ID=3");
    assert_text("", "");
}

static void a_long_name_is_cut(void **state) {
    (void)state;
    char name[2 * TEST_NAME_TEXT_SIZE];
    char text[TEST_NAME_TEXT_SIZE];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(strlen(test_name_text(name, text)), sizeof text - 1);
}

static void assert_worker(const char *name, const char *expected) {
    size_t length;
    const char *worker = test_name_worker(name, &length);
    assert_int_equal(length, strlen(expected));
    assert_int_equal(strncmp(worker, expected, length), 0);
}

static void the_worker_is_known(void **state) {
    (void)state;
    assert_worker("test_up (call) [gw12]", "gw12");
    assert_worker("test_up[gw1]", "");
    assert_worker("test_up", "");
    assert_worker("JEST_WORKER_ID=3", "3");
    assert_worker("", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phase_and_worker_are_left_off), cmocka_unit_test(the_rest_stays),
        cmocka_unit_test(people_see_the_worker_in_brackets_and_no_call),
        cmocka_unit_test(a_long_name_is_cut), cmocka_unit_test(the_worker_is_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
