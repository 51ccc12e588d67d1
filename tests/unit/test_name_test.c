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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(phase_and_worker_are_left_off),
                                       cmocka_unit_test(the_rest_stays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
