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
    assert_stable("./suite.sh 43210 --port=43211 -p43212 1.2.3.4:43213 worker-43214",
                  "./suite.sh N --port=N -pN 1.2.3.4:N worker-N");
    assert_stable("cat /proc/43210/fd", "cat /proc/N/fd");
    assert_stable("http://127.0.0.1:43211/x?to=43212&y", "http://127.0.0.1:N/x?to=N&y");
    assert_stable("", "");
}

static void digits_of_a_name_stay(void **state) {
    (void)state;
    assert_stable("python3.11 server1.py test_v2 ./suite.sh 3",
                  "python3.11 server1.py test_v2 ./suite.sh 3");
    assert_stable("year2026.py log-2026.txt ipv41234 x_43210",
                  "year2026.py log-2026.txt ipv41234 x_43210");
    assert_stable("--std=gnu11 x86_64 Server-AppServer tmp_storage",
                  "--std=gnu11 x86_64 Server-AppServer tmp_storage");
}

static void upper_folders_differ_from_machine_to_machine(void **state) {
    (void)state;
    assert_stable("/usr/bin/python3 /builds/ci/17/proj/tests/web.py tests/a.py",
                  "/usr/bin/python3 proj/tests/web.py tests/a.py");
    assert_stable("x --root=/a/b/c/d:/d/e /", "x --root=b/c/d:/d/e /");
    assert_stable("a/b/c/d/e.py ../../../x.py", "a/b/c/d/e.py ../../../x.py");
}

static void random_names_are_left_out_with_the_folders_above(void **state) {
    (void)state;
    assert_stable("x /tmp/tmpab3x_9qz --log=/scratch/7/tmpab3x_9qz/q", "x * --log=*/q");
    assert_stable("x tmpab3x_9qz/a.py /tmp/tmpabcdefgh.py", "x */a.py *");
    assert_stable("/tmp/tmp.Ab12Cd34Ef/web/a.py ./tmp.abcdefghij/a.py", "*/web/a.py */a.py");
    assert_stable("/tmp/bats-run-aBcDeF/test/3/a /build/run.Ab12Cd/x", "*/test/3/a */x");
    assert_stable("python3 /tmp/pytest-of-me/pytest-7/popen-gw1/test_up0/serve2.py",
                  "python3 */test_up0/serve2.py");
    assert_stable("--basetemp=pytest-12", "--basetemp=*");
}

static void other_names_below_tmp_stay(void **state) {
    (void)state;
    assert_stable("/tmp/server 8080", "/tmp/server N");
    assert_stable("/tmp/proj/one.py /tmp/proj/two.py", "/tmp/proj/one.py /tmp/proj/two.py");
    assert_stable("/dev/shm/server1 /var/tmp/Server", "/dev/shm/server1 /var/tmp/Server");
}

static void identifiers_are_left_out(void **state) {
    (void)state;
    assert_stable("run --id 01234567-89ab-cdef-0123-456789abcdef", "run --id *");
    assert_stable("box-01234567-89ab-cdef-0123-456789abcdef-web", "box-*-web");
    assert_stable("--trace=3f9a2b1c 0x7ffe12 box_3f9a2b1c4d.sock", "--trace=* * box_*.sock");
    assert_stable("deadbeef abcdefab 3f9a2b 3f9a2b1cx", "deadbeef abcdefab 3f9a2b 3f9a2b1cx");
}

static void what_is_too_long_ends_with_a_hash_of_all(void **state) {
    (void)state;
    char one[300];
    char other[300];
    char first[64];
    char second[64];
    memset(one, 'a', sizeof one - 1);
    one[sizeof one - 1] = '\0';
    memcpy(other, one, sizeof one);
    other[sizeof other - 2] = 'b';
    stable_text(one, first, sizeof first);
    stable_text(other, second, sizeof second);
    assert_int_equal(strlen(first), sizeof first - 1);
    assert_int_equal(first[sizeof first - 18], '~');
    assert_int_equal(strncmp(first, second, sizeof first - 17), 0);
    assert_string_not_equal(first, second);
    one[63] = '\0';
    assert_string_equal(stable_text(one, first, sizeof first), one);
    assert_string_equal(stable_text("abcdefgh", first, 5), "abcd");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_differ_from_run_to_run),
        cmocka_unit_test(digits_of_a_name_stay),
        cmocka_unit_test(upper_folders_differ_from_machine_to_machine),
        cmocka_unit_test(random_names_are_left_out_with_the_folders_above),
        cmocka_unit_test(other_names_below_tmp_stay),
        cmocka_unit_test(identifiers_are_left_out),
        cmocka_unit_test(what_is_too_long_ends_with_a_hash_of_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
