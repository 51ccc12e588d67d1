/* Where a port's number stands in the strings that a program was started with: whole numbers alone,
 * and a word where not all could be searched. The shim is not a library, so its file is compiled
 * in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shim/process/start_strings.c"

enum { IN_ARGUMENTS = 1, IN_ENVIRONMENT = 2, CUT = 4 };

static struct start_strings strings;

static unsigned found(uint16_t port) {
    start_strings_set(&strings);
    uint64_t flags = start_strings_hold(port);
    unsigned result = 0;
    result |= (flags & PW_FLAG_IN_ARGUMENTS) != 0 ? IN_ARGUMENTS : 0u;
    result |= (flags & PW_FLAG_IN_ENVIRONMENT) != 0 ? IN_ENVIRONMENT : 0u;
    result |= (flags & PW_FLAG_SEARCH_CUT) != 0 ? CUT : 0u;
    assert_int_equal(flags & ~(PW_FLAG_IN_ARGUMENTS | PW_FLAG_IN_ENVIRONMENT | PW_FLAG_SEARCH_CUT),
                     0);
    return result;
}

/* Copies of exactly the given size, so that a look past an end is noticed. */
static void started_with(const char *arguments, size_t arguments_size, const char *environment,
                         size_t environment_size) {
    free((void *)(uintptr_t)strings.arguments);
    free((void *)(uintptr_t)strings.environment);
    char *first = malloc(arguments_size + (arguments_size == 0));
    char *second = malloc(environment_size + (environment_size == 0));
    assert_non_null(first);
    assert_non_null(second);
    memcpy(first, arguments, arguments_size);
    memcpy(second, environment, environment_size);
    strings = (struct start_strings){.arguments = first,
                                     .arguments_end = first + arguments_size,
                                     .environment = second,
                                     .environment_end = second + environment_size};
}

/* String constants with NULs inside, as the kernel lays them out. */
#define STARTED_WITH(arguments, environment)                                                       \
    started_with(arguments, sizeof(arguments), environment, sizeof(environment))

static void a_number_is_found_where_it_stands(void **state) {
    (void)state;
    STARTED_WITH("server\0--port\0"
                 "8080",
                 "HOME=/root\0PORT=9090");
    assert_int_equal(found(8080), IN_ARGUMENTS);
    assert_int_equal(found(9090), IN_ENVIRONMENT);
    assert_int_equal(found(7070), 0);
    STARTED_WITH("server\0--listen=127.0.0.1:65535", "URL=http://localhost:65535/x");
    assert_int_equal(found(65535), IN_ARGUMENTS | IN_ENVIRONMENT);
    STARTED_WITH("1\0"
                 "22",
                 "333=4444");
    assert_int_equal(found(1), IN_ARGUMENTS);
    assert_int_equal(found(22), IN_ARGUMENTS);
    assert_int_equal(found(333), IN_ENVIRONMENT);
    assert_int_equal(found(4444), IN_ENVIRONMENT);
}

static void part_of_a_longer_number_is_not_the_number(void **state) {
    (void)state;
    STARTED_WITH("18080\0"
                 "80801\0"
                 "180801",
                 "A=808\0B=080");
    assert_int_equal(found(8080), 0);
    assert_int_equal(found(808), IN_ENVIRONMENT);
    assert_int_equal(found(80), 0);
    STARTED_WITH("80808080 8080", "");
    assert_int_equal(found(8080), IN_ARGUMENTS); /* after a false start */
    STARTED_WITH("-p80:8080", "");
    assert_int_equal(found(80), IN_ARGUMENTS);
    assert_int_equal(found(8080), IN_ARGUMENTS);
}

static void two_strings_do_not_make_one_number(void **state) {
    (void)state;
    STARTED_WITH("80\0"
                 "80",
                 "A=80\0"
                 "80=");
    assert_int_equal(found(8080), 0);
    assert_int_equal(found(80), IN_ARGUMENTS | IN_ENVIRONMENT);
}

static void the_last_byte_counts(void **state) {
    (void)state;
    started_with("x 8080", 6, "8080", 4);
    assert_int_equal(found(8080), IN_ARGUMENTS | IN_ENVIRONMENT);
    started_with("x 808", 5, "8", 1);
    assert_int_equal(found(8080), 0);
    started_with("", 0, "", 0);
    assert_int_equal(found(8080), 0);
}

static void strings_that_nobody_found_are_not_searched(void **state) {
    (void)state;
    STARTED_WITH("8080", "8080");
    struct start_strings whole = strings;
    strings.arguments = strings.arguments_end = NULL;
    assert_int_equal(found(8080), CUT | IN_ENVIRONMENT);
    strings = whole;
    strings.environment_end = strings.environment - 1;
    assert_int_equal(found(8080), CUT | IN_ARGUMENTS);
    strings = whole;
    assert_int_equal(found(8080), IN_ARGUMENTS | IN_ENVIRONMENT);
}

static void very_long_strings_are_searched_in_part(void **state) {
    (void)state;
    enum { LONG = SEARCH_BYTES + 100 };
    char *text = malloc(LONG);
    assert_non_null(text);
    memset(text, 'x', LONG);
    started_with(text, SEARCH_BYTES, "", 1);
    assert_int_equal(found(8080), 0);
    started_with(text, LONG, "8080", 4);
    assert_int_equal(found(8080), CUT | IN_ENVIRONMENT);
    memcpy(text + SEARCH_BYTES + 10, "8080", 4);
    started_with(text, LONG, "", 1);
    assert_int_equal(found(8080), CUT);
    memcpy(text + SEARCH_BYTES - 10, "8080", 4);
    started_with("", 1, text, LONG);
    assert_int_equal(found(8080), CUT | IN_ENVIRONMENT);
    memset(text, 'x', LONG);
    memcpy(text + SEARCH_BYTES - 4, "80801", 5); /* the cut does not end a number */
    started_with(text, LONG, "", 1);
    assert_int_equal(found(8080), CUT);
    free(text);
}

static int forget(void **state) {
    (void)state;
    started_with("", 0, "", 0);
    free((void *)(uintptr_t)strings.arguments);
    free((void *)(uintptr_t)strings.environment);
    return 0;
}

static void the_variable_that_holds_a_number_is_named(void **state) {
    (void)state;
    char name[16];
    STARTED_WITH("server\0",
                 "A=1\0PORT=8080\0NODE_OPTIONS=--inspect=127.0.0.1:9229\0X9230=92301\0");
    start_strings_set(&strings);
    assert_int_equal(start_strings_variable(9229, name, sizeof name), 12);
    assert_string_equal(name, "NODE_OPTIONS");
    assert_int_equal(start_strings_variable(8080, name, sizeof name), 4);
    assert_int_equal(start_strings_variable(9230, name, sizeof name),
                     0); /* neither name nor part */
    assert_int_equal(start_strings_variable(9229, name, 5), 4);
    assert_string_equal(name, "NODE");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_found_where_it_stands),
        cmocka_unit_test(part_of_a_longer_number_is_not_the_number),
        cmocka_unit_test(two_strings_do_not_make_one_number),
        cmocka_unit_test(the_last_byte_counts),
        cmocka_unit_test(strings_that_nobody_found_are_not_searched),
        cmocka_unit_test(very_long_strings_are_searched_in_part),
        cmocka_unit_test(the_variable_that_holds_a_number_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
