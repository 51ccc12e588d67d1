/* The value of --policy: what it means, and that its text in the trace is itself a value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/base/policy_option.h"

static struct policy_option parsed(const char *text) {
    struct policy_option option;
    char problem[256];
    if (!policy_option_parse(text, &option, problem, sizeof problem))
        fail_msg("%s: %s", text, problem);
    return option;
}

static void each_policy_has_its_numbers(void **state) {
    (void)state;
    assert_true(policy_option_is_kernel(&(struct policy_option){.text = "kernel"}));
    struct policy_option option = parsed("kernel");
    assert_true(policy_option_is_kernel(&option));
    assert_int_equal(parsed("soonest").config.kind, PW_POLICY_SOONEST);
    assert_int_equal(parsed("quarantine").config.for_ms, 60000);
    assert_int_equal(parsed("quarantine:86400").config.for_ms, 86400000);
    assert_int_equal(parsed("keep").config.kind, PW_POLICY_KEEP);
    assert_int_equal(parsed("keep").config.for_ms, 30000);
    assert_int_equal(parsed("keep:1").config.for_ms, 1000);
    assert_int_equal(parsed("keep:86400").config.for_ms, 86400000);
    option = parsed("keep:5,range:40000-40999");
    assert_int_equal(option.config.kind, PW_POLICY_KEEP);
    assert_int_equal(option.config.for_ms, 5000);
    assert_int_equal(option.config.low, 40000);
    assert_int_equal(option.config.high, 40999);
    assert_true(parsed("seeded:18446744073709551615").config.seed == UINT64_MAX);
    option = parsed("seeded:7,range:1-65535");
    assert_int_equal(option.config.kind, PW_POLICY_SEEDED);
    assert_int_equal(option.config.low, 1);
    assert_int_equal(option.config.high, 65535);
    option = parsed("range:40000-40000");
    assert_int_equal(option.config.kind, PW_POLICY_KERNEL);
    assert_false(policy_option_is_kernel(&option));
}

static void its_text_is_a_value_that_means_the_same(void **state) {
    (void)state;
    static const char *const given[][2] = {
        {"kernel", "kernel"},
        {"soonest", "soonest"},
        {"quarantine", "quarantine:60"},
        {"keep", "keep:30"},
        {"keep:007", "keep:7"},
        {"keep:5,range:40000-40999", "keep:5,range:40000-40999"},
        {"seeded:007", "seeded:7"},
        {"kernel,range:2-3", "range:2-3"},
        {"quarantine:5,range:40000-40999", "quarantine:5,range:40000-40999"},
        {"seeded:18446744073709551615,range:10000-65535",
         "seeded:18446744073709551615,range:10000-65535"}};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        struct policy_option first = parsed(given[i][0]);
        struct policy_option again = parsed(first.text);
        assert_string_equal(first.text, given[i][1]);
        assert_string_equal(again.text, given[i][1]);
        assert_memory_equal(&first.config, &again.config, sizeof first.config);
    }
}

static void what_is_none_is_refused_with_the_part_that_is_wrong(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"", "''"},
        {"soon", "'soon'"},
        {"soonest:1", "'soonest:1'"},
        {"quarantine:", "'quarantine:'"},
        {"quarantine:0", "'quarantine:0'"},
        {"quarantine:86401", "'quarantine:86401'"},
        {"quarantine: 5", "'quarantine: 5'"},
        {"keep:", "'keep:'"},
        {"keep:0", "'keep:0'"},
        {"keep:x", "'keep:x'"},
        {"keep:-1", "'keep:-1'"},
        {"keep:86401", "'keep:86401'"},
        {"keeps", "'keeps'"},
        {"range:1-2,keep", "'keep'"},
        {"keep,quarantine", "'quarantine'"},
        {"seeded", "'seeded'"},
        {"seeded:-1", "'seeded:-1'"},
        {"seeded:18446744073709551616", "'seeded:18446744073709551616'"},
        {"range:", "'range:'"},
        {"range:0-9", "'range:0-9'"},
        {"range:9-8", "'range:9-8'"},
        {"range:1-65536", "'range:1-65536'"},
        {"soonest,quarantine", "'quarantine'"},
        {"soonest,", "''"},
        {"range:1-2,range:3-4", "'range:3-4'"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct policy_option option;
        char problem[256];
        assert_false(policy_option_parse(wrong[i][0], &option, problem, sizeof problem));
        assert_non_null(strstr(problem, wrong[i][1]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_policy_has_its_numbers),
        cmocka_unit_test(its_text_is_a_value_that_means_the_same),
        cmocka_unit_test(what_is_none_is_refused_with_the_part_that_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
