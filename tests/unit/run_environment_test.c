/* The variables of the command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "harness/run/run_environment.h"

static void preload_is(const char *present, const char *sanitizer, const char *expected) {
    char *value = environment_preload(present, "/p/shim.so", sanitizer);
    assert_string_equal(value, expected);
    free(value);
}

static void the_shim_comes_behind_what_is_listed(void **state) {
    (void)state;
    preload_is(NULL, NULL, "/p/shim.so");
    preload_is("", "", "/p/shim.so");
    preload_is("a.so", NULL, "a.so:/p/shim.so");
    preload_is("a.so b.so", NULL, "a.so b.so:/p/shim.so");
}

static void nothing_is_listed_twice(void **state) {
    (void)state;
    preload_is("/p/shim.so", NULL, "/p/shim.so");
    preload_is("a.so /p/shim.so:b.so", NULL, "a.so /p/shim.so:b.so");
    preload_is("/p/shim.so.1", NULL, "/p/shim.so.1:/p/shim.so");
    preload_is("libasan.so.8:a.so", "libasan.so.8", "libasan.so.8:a.so:/p/shim.so");
}

static void another_copy_of_the_shim_gives_its_place_to_ours(void **state) {
    (void)state;
    preload_is("/old/libportwitness.so", NULL, "/p/shim.so");
    preload_is("libportwitness.so", NULL, "/p/shim.so");
    preload_is("a.so /old/libportwitness.so:b.so", NULL, "a.so /p/shim.so:b.so");
    preload_is("/old/libportwitness.so a.so:/p/shim.so b.so", NULL, "/p/shim.so a.so b.so");
    preload_is("/old/libportwitness.so", "libasan.so.8", "libasan.so.8:/p/shim.so");
    preload_is("/x/notlibportwitness.so", NULL, "/x/notlibportwitness.so:/p/shim.so");
    preload_is("libportwitness.so.1", NULL, "libportwitness.so.1:/p/shim.so");
}

static void a_sanitizer_comes_first(void **state) {
    (void)state;
    preload_is(NULL, "libasan.so.8", "libasan.so.8:/p/shim.so");
    preload_is("a.so", "libasan.so.8", "libasan.so.8:a.so:/p/shim.so");
    preload_is("/p/shim.so", "libasan.so.8", "libasan.so.8:/p/shim.so");
}

static const char *value_of(char **environment, const char *name) {
    const char *found = NULL;
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, name, strlen(name)) == 0 && (*environment)[strlen(name)] == '=') {
            assert_null(found);
            found = *environment + strlen(name) + 1;
        }
    return found;
}

static void the_other_variables_stay_as_they_are(void **state) {
    (void)state;
    char *from[] = {"A=1", "PORTWITNESS_TRACE=/old", "LD_PRELOAD=x.so",
                    "odd", "LD_PRELOADED=y",         NULL};
    const struct run_environment plan = {.shim = "/p/shim.so", .trace = "/t", .follow = true};
    char **made = environment_make(from, &plan);
    assert_non_null(made);
    assert_string_equal(value_of(made, "A"), "1");
    assert_string_equal(value_of(made, "LD_PRELOADED"), "y");
    assert_string_equal(value_of(made, "LD_PRELOAD"), "x.so:/p/shim.so");
    assert_string_equal(value_of(made, "PORTWITNESS_TRACE"), "/t");
    assert_string_equal(value_of(made, "PORTWITNESS_RUN"), "1");
    assert_null(value_of(made, "PORTWITNESS_NO_FOLLOW"));
    assert_string_equal(made[3], "odd");
    assert_string_equal(from[1], "PORTWITNESS_TRACE=/old");
    environment_free(made);
}

static void a_command_that_cannot_load_the_shim_is_spared_it(void **state) {
    (void)state;
    char *from[] = {"LD_PRELOAD=x.so", NULL};
    char *bare[] = {NULL};
    const struct run_environment plan = {.shim = NULL, .trace = "/t", .follow = true};
    char **made = environment_make(from, &plan);
    assert_non_null(made);
    assert_string_equal(value_of(made, "LD_PRELOAD"), "x.so");
    environment_free(made);
    made = environment_make(bare, &plan);
    assert_null(value_of(made, "LD_PRELOAD"));
    environment_free(made);
}

static void following_is_switched_off_by_a_variable(void **state) {
    (void)state;
    char *from[] = {NULL};
    const struct run_environment plan = {.shim = "/p/shim.so", .trace = "/t", .follow = false};
    char **made = environment_make(from, &plan);
    assert_non_null(made);
    assert_string_equal(value_of(made, "PORTWITNESS_NO_FOLLOW"), "1");
    environment_free(made);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shim_comes_behind_what_is_listed),
        cmocka_unit_test(nothing_is_listed_twice),
        cmocka_unit_test(another_copy_of_the_shim_gives_its_place_to_ours),
        cmocka_unit_test(a_sanitizer_comes_first),
        cmocka_unit_test(the_other_variables_stay_as_they_are),
        cmocka_unit_test(a_command_that_cannot_load_the_shim_is_spared_it),
        cmocka_unit_test(following_is_switched_off_by_a_variable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
