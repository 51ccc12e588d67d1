/* The command line of `run`: sizes, sharing, and where the options end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "harness/base/number.h"
#include "harness/cli/run_command.h"
#include "harness/cli/sharing.h"

static void sizes_have_units_of_1024(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"0", 0},
                {"2097152", 2097152},
                {"64k", 65536},
                {"64M", UINT64_C(64) << 20},
                {"64MB", UINT64_C(64) << 20},
                {"2GiB", UINT64_C(2) << 30},
                {"1t", UINT64_C(1) << 40},
                {"18446744073709551615", UINT64_MAX}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t bytes = 1;
        assert_true(read_size(good[i].text, &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
}

static void an_invalid_size_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "M",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1x",
                                      "1Mi",
                                      "1MBs",
                                      "1iB",
                                      "0x10",
                                      "1.5G",
                                      "18446744073709551616",
                                      "18446744073709551615K"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t bytes = 1;
        if (read_size(bad[i], &bytes))
            fail_msg("'%s' was taken for %llu", bad[i], (unsigned long long)bytes);
    }
}

static void sharing_is_for_all_or_by_mode_or_by_group(void **state) {
    (void)state;
    unsigned mode = 0;
    gid_t group = 1;
    assert_null(sharing_read(NULL, &mode, &group));
    assert_int_equal(mode, 0666);
    assert_int_equal(group, (gid_t)-1);
    assert_null(sharing_read("0640", &mode, &group));
    assert_int_equal(mode, 0640);
    assert_int_equal(group, (gid_t)-1);
    assert_null(sharing_read("root", &mode, &group));
    assert_int_equal(mode, 0660);
    assert_int_equal(group, 0);
}

static void sharing_refuses_what_would_lock_out_or_execute(void **state) {
    (void)state;
    unsigned mode;
    gid_t group;
    assert_non_null(sharing_read("0777", &mode, &group));
    assert_non_null(sharing_read("0060", &mode, &group));
    assert_non_null(sharing_read("0668", &mode, &group));
    assert_non_null(sharing_read("1666", &mode, &group));
    assert_non_null(sharing_read("no such group", &mode, &group));
}

static void options_end_at_the_first_word_that_is_none(void **state) {
    (void)state;
    char *argv[] = {"run", "--wait", "-o", "t", "cmd", "-o", "other", "--quiet", "--", NULL};
    struct run_options options;
    struct check_request check;
    int status;
    assert_true(run_options_parse(&options, &check, 9, argv, &status));
    assert_true(options.wait);
    assert_false(options.quiet);
    assert_true(options.follow);
    assert_string_equal(options.trace.name, "t");
    assert_string_equal(options.command[0], "cmd");
    assert_string_equal(options.command[1], "-o");
    assert_string_equal(options.command[3], "--quiet");
    assert_string_equal(options.command[4], "--");
    assert_null(options.command[5]);
}

static void the_double_dash_is_no_part_of_the_command(void **state) {
    (void)state;
    char *argv[] = {"run", "-q", "--no-follow", "--max-size=4M", "--", "--odd", NULL};
    struct run_options options;
    struct check_request check;
    int status;
    assert_true(run_options_parse(&options, &check, 6, argv, &status));
    assert_true(options.quiet);
    assert_false(options.follow);
    assert_int_equal(options.trace.max_size, 4 << 20);
    assert_string_equal(options.command[0], "--odd");
    assert_null(options.command[1]);
}

static void shared_takes_its_value_only_behind_an_equals_sign(void **state) {
    (void)state;
    char *argv[] = {"run", "--shared", "root", NULL};
    struct run_options options;
    struct check_request check;
    int status;
    assert_true(run_options_parse(&options, &check, 3, argv, &status));
    assert_int_equal(options.trace.mode, 0666);
    assert_string_equal(options.command[0], "root");
}

static void options_of_the_check_go_to_it(void **state) {
    (void)state;
    char *argv[] = {"run",           "--check",   "-v",      "-q",   "--json=x", "--strict",
                    "--color=never", "--fail-on", "warning", "true", NULL};
    struct run_options options;
    struct check_request check;
    int status;
    assert_true(run_options_parse(&options, &check, 10, argv, &status));
    assert_true(options.check && options.quiet);
    assert_true(check.verbose && check.quiet && check.strict && check.json && !check.all);
    assert_string_equal(check.json_file, "x");
    assert_int_equal(check.colour, COLOUR_NEVER);
    assert_int_equal(check.fail_on, FAIL_ON_HAZARD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_have_units_of_1024),
        cmocka_unit_test(an_invalid_size_is_refused),
        cmocka_unit_test(sharing_is_for_all_or_by_mode_or_by_group),
        cmocka_unit_test(sharing_refuses_what_would_lock_out_or_execute),
        cmocka_unit_test(options_end_at_the_first_word_that_is_none),
        cmocka_unit_test(the_double_dash_is_no_part_of_the_command),
        cmocka_unit_test(shared_takes_its_value_only_behind_an_equals_sign),
        cmocka_unit_test(options_of_the_check_go_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
