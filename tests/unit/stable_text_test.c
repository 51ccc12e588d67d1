/* What is kept of a command line in a baseline. */
#include "harness/report/stable_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_stable(const char *text, const char *expected) {
    char stable[256];
    assert_string_equal(stable_text(text, stable, sizeof stable), expected);
}

static void numbers_differ_from_run_to_run(void **state) {
    (void)state;
    assert_stable("./suite.sh 3 --port=43211", "./suite.sh N --port=N");
    assert_stable("python3.11", "pythonN.N");
    assert_stable("", "");
}

static void folders_differ_from_machine_to_machine(void **state) {
    (void)state;
    assert_stable("/usr/bin/python3 /builds/ci/17/tests/web.py tests/a.py",
                  "pythonN web.py tests/a.py");
    assert_stable("x --root=/a/b/c:/d/e /", "x --root=c:e /");
}

static void temporary_files_have_no_name(void **state) {
    (void)state;
    assert_stable("x /tmp/tmpab3x --log=/var/tmp/q --shm /dev/shm/abc", "x * --log=* --shm *");
    assert_stable("/tmp/server 8080", "* N");
    assert_stable("python3 /tmp/pytest-of-me/pytest-7/serve2.py", "pythonN serveN.py");
}

static void what_is_too_long_is_cut(void **state) {
    (void)state;
    char stable[5];
    assert_string_equal(stable_text("abcdefgh", stable, sizeof stable), "abcd");
    assert_string_equal(stable_text("/a/b/efgh 1", stable, sizeof stable), "efgh");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_differ_from_run_to_run),
                                       cmocka_unit_test(folders_differ_from_machine_to_machine),
                                       cmocka_unit_test(temporary_files_have_no_name),
                                       cmocka_unit_test(what_is_too_long_is_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
