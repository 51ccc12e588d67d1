/* Names of functions in the words of their language. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/check/symbol_name.h"

static void expect_name(const char *linked, const char *expected) {
    char *name = symbol_name(linked);
    if (expected == NULL)
        assert_null(name);
    else
        assert_string_equal(name, expected);
    free(name);
}

static void names_of_c_plus_plus_have_class_and_types(void **state) {
    (void)state;
    expect_name("_ZN2ns6ServerIiE5startEv", "ns::Server<int>::start()");
    expect_name("_Z9bind_portii", "bind_port(int, int)");
    expect_name("_ZZ4mainENKUlvE_clEv", "main::{lambda()#1}::operator()() const");
}

static void rust_names_lose_their_hash(void **state) {
    (void)state;
    expect_name("_ZN6server5start17h0123456789abcdefE", "server::start");
    expect_name("_ZN6server5start17h0123456789abcdegE", "server::start::h0123456789abcdeg");
}

static void other_names_are_left_alone(void **state) {
    (void)state;
    expect_name(NULL, NULL);
    expect_name("", NULL);
    expect_name("main", NULL);
    expect_name("_Z", NULL);
    expect_name("_ZN2ns", NULL);
    expect_name("_RNvC6server5start", NULL);
}

/* A file may hold anything. */
static void names_that_nest_for_ever_end(void **state) {
    static char deep[100000];
    (void)state;
    memset(deep, 'P', sizeof deep - 1);
    memcpy(deep, "_Z1f", 4);
    expect_name(deep, NULL);
    deep[4000] = '\0';
    free(symbol_name(deep));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_c_plus_plus_have_class_and_types),
        cmocka_unit_test(rust_names_lose_their_hash),
        cmocka_unit_test(other_names_are_left_alone),
        cmocka_unit_test(names_that_nest_for_ever_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
