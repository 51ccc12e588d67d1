/* Numbers, ranges and sizes: digits alone, and within bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/base/number.h"

static void digits_alone_are_a_number(void **state) {
    (void)state;
    uint64_t number = 1;
    assert_true(read_number("0", 0, 9, &number));
    assert_int_equal(number, 0);
    assert_true(read_number("007", 0, 9, &number));
    assert_int_equal(number, 7);
    assert_true(read_number("18446744073709551615", 0, UINT64_MAX, &number));
    assert_true(number == UINT64_MAX);
    static const char *const bad[] = {"",
                                      " 5",
                                      "5 ",
                                      "+5",
                                      "-5",
                                      "0x5",
                                      "5.0",
                                      "five",
                                      "5\n",
                                      "18446744073709551616",
                                      "99999999999999999999999"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (read_number(bad[i], 0, UINT64_MAX, &number))
            fail_msg("'%s' was taken for a number", bad[i]);
}

static void bounds_belong_to_the_numbers(void **state) {
    (void)state;
    uint64_t number;
    assert_false(read_number("0", 1, 1000, &number));
    assert_true(read_number("1", 1, 1000, &number));
    assert_true(read_number("1000", 1, 1000, &number));
    assert_false(read_number("1001", 1, 1000, &number));
}

static void digits_are_left_behind(void **state) {
    (void)state;
    const char *text = "19.0";
    uint64_t number;
    assert_true(read_digits(&text, 99, &number));
    assert_int_equal(number, 19);
    assert_string_equal(text, ".0");
    assert_false(read_digits(&text, 99, &number));
}

static void ranges_are_read_strictly(void **state) {
    (void)state;
    uint16_t low;
    uint16_t high;
    assert_true(read_port_range("20000-21023", &low, &high));
    assert_int_equal(low, 20000);
    assert_int_equal(high, 21023);
    assert_true(read_port_range("1-65535", &low, &high));
    const char *const bad[] = {"", "1", "0-5", "5-4", "1-65536", "1-2x", " 1-2", "-1-2", "a-b"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(read_port_range(bad[i], &low, &high));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_alone_are_a_number),
        cmocka_unit_test(bounds_belong_to_the_numbers),
        cmocka_unit_test(digits_are_left_behind),
        cmocka_unit_test(ranges_are_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
