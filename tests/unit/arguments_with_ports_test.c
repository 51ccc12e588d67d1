/* Where the numbers of reserved ports go in a command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/reserve/arguments_with_ports.h"

static const struct held_ports two = {.ports = {40001, 65535}, .count = 2};

static void check(const char *given, const char *expected) {
    char *arguments[] = {(char *)(uintptr_t)given, NULL};
    char **made = arguments_with_ports(arguments, &two);
    assert_non_null(made);
    assert_string_equal(made[0], expected);
    assert_null(made[1]);
    arguments_with_ports_free(made);
}

static void numbers_take_the_place_of_their_braces(void **state) {
    (void)state;
    check("{1}", "40001");
    check("--port={2}", "--port=65535");
    check("{1}{2}{1}", "400016553540001");
    check("http://h:{1}/?a={2}&b={x}", "http://h:40001/?a=65535&b={x}");
}

static void other_braces_are_left_alone(void **state) {
    (void)state;
    static const char *const texts[] = {"",     "{",    "{}",   "{0}",  "{3}",
                                        "{01}", "{ 1}", "{1 }", "{-1}", "{+1}",
                                        "{a}",  "{1",   "1}",   "{{}}", "{18446744073709551617}",
                                        "{11}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check(texts[i], texts[i]);
    check("{{1}}", "{40001}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_take_the_place_of_their_braces),
        cmocka_unit_test(other_braces_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
