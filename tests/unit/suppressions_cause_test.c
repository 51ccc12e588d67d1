/* Suppressions that name the cause or the test of a finding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/base/memory.h"
#include "harness/check/suppressions.h"

static struct check check;

static int begin(void **state) {
    (void)state;
    check = (struct check){.traces = memory_zeroed(1, sizeof *check.traces), .trace_count = 1};
    findings_add(&check.findings, FINDING_RACE_WINDOW)->cause = CAUSE_RELEASED_NUMBER;
    struct finding *other = findings_add(&check.findings, FINDING_LOST_RACE);
    other->marker = memory_copy("web.py::test a", 14);
    other->cause = CAUSE_SELF_CONNECT;
    return 0;
}

static int end(void **state) {
    (void)state;
    check_free(&check);
    return 0;
}

/* Which of the two findings the line marks. */
static void assert_fits(const char *text, bool with_cause, bool with_test) {
    char path[] = "/tmp/portwitness-suppressions-XXXXXX";
    struct suppressions suppressions = {0};
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
    assert_true(suppressions_read(&suppressions, path));
    suppressions_apply(&suppressions, &check);
    assert_int_equal(check.findings.list[0].suppressed, with_cause);
    assert_int_equal(check.findings.list[1].suppressed, with_test);
    suppressions_free(&suppressions);
    unlink(path);
    for (size_t i = 0; i < check.findings.count; i++)
        check.findings.list[i].suppressed = false;
}

static void a_cause_fits_findings_that_have_it(void **state) {
    (void)state;
    assert_fits("cause:released-number\n", true, false);
    assert_fits("cause:*\n", true, true);
    assert_fits("cause:time-wait\n", false, false);
}

static void a_test_fits_findings_of_that_test(void **state) {
    (void)state;
    assert_fits("test:web.py::*\n", false, true);
    assert_fits("test:*test?a\n", false, true);
    assert_fits("test:test\n", false, false);
}

static void name_second(const char *name) {
    free(check.findings.list[1].marker);
    check.findings.list[1].marker = memory_copy(name, strlen(name));
}

static void a_test_fits_as_it_stands_and_without_phase_and_worker(void **state) {
    (void)state;
    name_second("a.py::test_up[2] (call) [gw1]");
    assert_fits("test:a.py::test_up[2]\n", false, true);
    assert_fits("test:a.py::test_*\n", false, true);
    assert_fits("test:*[[]2]\n", false, true);
    assert_fits("test:\"a.py::test_up[2] (call) [gw1]\"\n", false, true);
    assert_fits("test:\"a.py::test_up[2] (setup)\"\n", false, false);
    assert_fits("test:a.py::test_up[1]\n", false, false);
    assert_fits("test:a.py::test_up\n", false, false);
}

static void a_value_may_stand_in_quotes(void **state) {
    (void)state;
    name_second("it has two words # 3");
    assert_fits("test:\"it has two words # 3\" kind:lost-race # why\n", false, true);
    assert_fits("kind:lost-race test:\"it has *\"\n", false, true);
    assert_fits("test:\"it has two\"\n", false, false);
}

static void both_must_fit(void **state) {
    (void)state;
    assert_fits("cause:* test:*\n", false, true);
    assert_fits("cause:released-number test:*\n", false, false);
    assert_fits("kind:lost-race test:*\n", false, true);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(a_cause_fits_findings_that_have_it),
                                       TEST(a_test_fits_findings_of_that_test),
                                       TEST(a_test_fits_as_it_stands_and_without_phase_and_worker),
                                       TEST(a_value_may_stand_in_quotes), TEST(both_must_fit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
