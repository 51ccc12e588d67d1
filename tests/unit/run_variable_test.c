/* PORTWITNESS_RUN: what `run` cannot have written is not taken as a policy. The shim is not a
 * library, so its file is compiled in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shim/shared/run_variable.h"

static void a_word_of_run_that_is_none_means_no_policy(void **state) {
    (void)state;
    struct run_variable run;
    static const char *const nothing[] = {NULL, "", "0"};
    static const char *const odd[] = {"1",
                                      "yes",
                                      "1:",
                                      "1:0:",
                                      "1:0:1",
                                      "1:0:9.0.0.0.0",
                                      "1:0:1.0.5.0.0",
                                      "1:0:1.0.2.70000.0",
                                      "1:0:1.0.0.0.0x"};
    for (unsigned i = 0; i < sizeof nothing / sizeof *nothing; i++)
        assert_false(run_variable_read(nothing[i], &run));
    for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
        assert_true(run_variable_read(odd[i], &run));
        assert_int_equal(run.filters, 0);
        assert_int_equal(run.policy.kind, PW_POLICY_KERNEL);
        assert_int_equal(run.policy.low, 0);
    }
    assert_true(run_variable_read("1:0:1.0.0.0.0", &run));
    assert_int_equal(run.policy.kind, PW_POLICY_SOONEST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_of_run_that_is_none_means_no_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
