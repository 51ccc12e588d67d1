/* Spans and moments as they stand in reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <time.h>

#include "harness/base/age.h"

#define SECOND UINT64_C(1000000000)
#define DAY (86400 * SECOND)

static void assert_age(uint64_t ns, const char *expected) {
    char text[AGE_TEXT_SIZE];
    assert_string_equal(age_text(ns, text), expected);
}

static void a_span_is_said_in_the_unit_that_fits(void **state) {
    (void)state;
    assert_age(0, "0 ms");
    assert_age(SECOND / 2 - 1, "499 ms");
    assert_age(SECOND, "1 s");
    assert_age(119 * SECOND, "119 s");
    assert_age(120 * SECOND, "2 min");
    assert_age(3 * 60 * SECOND + 59 * SECOND, "3 min");
    assert_age(7199 * SECOND, "119 min");
    assert_age(7200 * SECOND, "2 h");
    assert_age(2 * DAY - 1, "47 h");
    assert_age(2 * DAY, "2 days");
    assert_age(UINT64_MAX, "213503 days");
}

static void assert_moment(uint64_t ns, uint64_t other_ns, const char *expected) {
    char text[AGE_TEXT_SIZE];
    assert_string_equal(moment_text(ns, other_ns, text), expected);
}

static void a_moment_has_its_day_where_that_is_another(void **state) {
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    uint64_t moment = UINT64_C(1795874531) * SECOND; /* 2026-11-28 14:02:11 */
    assert_moment(moment, moment + 60 * SECOND, "14:02:11");
    assert_moment(moment, moment + DAY, "2026-11-28 14:02:11");
    assert_moment(moment, moment + 365 * DAY, "2026-11-28 14:02:11");
}

static void the_day_is_that_of_the_reader(void **state) {
    (void)state;
    setenv("TZ", "XYZ-12", 1);
    tzset();
    uint64_t moment = UINT64_C(1795874531) * SECOND;
    assert_moment(moment, moment, "02:02:11");
    assert_moment(moment, moment - 3 * 3600 * SECOND, "2026-11-29 02:02:11");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_is_said_in_the_unit_that_fits),
        cmocka_unit_test(a_moment_has_its_day_where_that_is_another),
        cmocka_unit_test(the_day_is_that_of_the_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
