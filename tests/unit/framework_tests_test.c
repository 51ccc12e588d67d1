/* What a test is called by the function that a framework called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/check/framework_tests.h"

static const char *name(const char *file, const char *function) {
    static char text[FRAMEWORK_TEST_SIZE];
    const struct frame_text frame = {file, function, 1, PW_FRAME_USER, true};
    return framework_test_name(&frame, text);
}

static void in_python_file_class_and_function_are_named_as_pytest_does(void **state) {
    (void)state;
    assert_string_equal(name("/home/me/tests/test_cart.py", "CartTest.test_add"),
                        "test_cart.py::CartTest::test_add");
    assert_string_equal(name("test_cart.py", "test_add"), "test_cart.py::test_add");
}

static void elsewhere_the_function_is_the_name(void **state) {
    (void)state;
    assert_string_equal(name("shop/CartTest.java", "shop.CartTest.adds"), "shop.CartTest.adds");
    assert_string_equal(name(NULL, "test_add"), "test_add");
}

static void what_has_no_name_is_no_test(void **state) {
    (void)state;
    assert_null(name("test_cart.py", "<module>"));
    assert_null(name("cart.test.mjs", "<anonymous>"));
    assert_null(name("cart.test.mjs", NULL));
}

static void a_long_name_is_cut(void **state) {
    (void)state;
    char function[2 * FRAMEWORK_TEST_SIZE];
    memset(function, '.', sizeof function);
    function[sizeof function - 1] = '\0';
    assert_true(strlen(name("test_cart.py", function)) < FRAMEWORK_TEST_SIZE);
    memset(function, 'x', sizeof function - 1);
    assert_true(strlen(name("test_cart.py", function)) < FRAMEWORK_TEST_SIZE);
    assert_true(strlen(name(NULL, function)) < FRAMEWORK_TEST_SIZE);
    /* A file's name alone may be as long. */
    char file[2 * FRAMEWORK_TEST_SIZE];
    memset(file, 'y', sizeof file);
    strcpy(file + sizeof file - 4, ".py");
    assert_true(strlen(name(file, "test_add")) < FRAMEWORK_TEST_SIZE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_python_file_class_and_function_are_named_as_pytest_does),
        cmocka_unit_test(elsewhere_the_function_is_the_name),
        cmocka_unit_test(what_has_no_name_is_no_test),
        cmocka_unit_test(a_long_name_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
