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
                                       TEST(both_must_fit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
