/* /proc/thread-self/status: what a program that starts reads of itself there is what its own calls
 * would say, or nothing is taken from it. */
#include "shim/shared/own_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "shim/shared/filter_trial.h"

#define HEAD "Name:\ttrue\nUmask:\t0022\nState:\tR (running)\n"
#define IDS "Tgid:\t71\nNgid:\t0\nPid:\t71\nPPid:\t70\nTracerPid:\t0\n"
#define USERS "Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nFDSize:\t64\nGroups:\t0 \n"
#define SPACES "NStgid:\t71\nNSpid:\t71\nNSpgid:\t9\n"

static struct own_status status_of(const char *text) {
    struct own_status status;
    memset(&status, 0x55, sizeof status);
    own_status_read(text, &status);
    return status;
}

static void it_is_what_the_calls_say(void **state) {
    (void)state;
    struct own_status status = {.known = false};
    assert_int_equal(prctl(PR_SET_NAME, "sixteen letters!"), 0);
    for (int is_first = 0; is_first < 2; is_first++) {
        assert_int_equal(filter_count_and_status(is_first, &status), filter_count());
        assert_true(status.known);
        assert_int_equal(status.pid, getpid());
        assert_int_equal(status.parent_pid, getppid());
        assert_int_equal(status.uid, setfsuid((uid_t)-1));
        assert_string_equal(status.name, "sixteen letters");
    }
}

static void each_line_is_read(void **state) {
    (void)state;
    struct own_status status = status_of(HEAD IDS USERS SPACES);
    assert_true(status.known);
    assert_int_equal(status.pid, 71);
    assert_int_equal(status.parent_pid, 70);
    assert_int_equal(status.uid, 4);
    assert_string_equal(status.name, "true");
    assert_true(status_of("Name:\tt\n" IDS "Uid:\t0\t0\t0\t4294967295\n" SPACES).known);
}

/* The kernel escapes blanks and backslashes, and a name that looks like a line is none. */
static void a_name_with_an_escape_is_asked_for(void **state) {
    (void)state;
    struct own_status status = status_of("Name:\ta\\nPid:\\\\b\n" IDS USERS SPACES);
    assert_true(status.known);
    assert_int_equal(status.pid, 71);
    assert_string_equal(status.name, "");
}

static void what_is_of_another_thread_or_namespace_is_not_taken(void **state) {
    (void)state;
    assert_false(status_of(HEAD "Tgid:\t70\nPid:\t71\nPPid:\t1\n" USERS SPACES).known);
    assert_false(status_of(HEAD IDS USERS "NStgid:\t71\t1\nNSpid:\t71\t1\n").known);
    assert_false(status_of(HEAD IDS USERS "NSpid:\t1\n").known);
}

static void what_is_missing_or_cut_is_not_taken(void **state) {
    (void)state;
    assert_false(status_of("").known);
    assert_false(status_of(HEAD IDS USERS).known);
    assert_false(status_of(HEAD IDS SPACES).known);
    assert_false(status_of(HEAD USERS SPACES).known);
    assert_false(status_of(HEAD IDS "Uid:\t1\t2\t3\n" SPACES).known);
    assert_false(status_of(HEAD IDS "Uid:\t1\t2\t3\t4\t5\n" SPACES).known);
    assert_false(status_of(HEAD IDS USERS "NSpid:\t71").known);
    assert_false(status_of(HEAD "Tgid:\t\nPid:\t71\nPPid:\t70\n" USERS SPACES).known);
    assert_false(status_of(HEAD "Tgid:\t71\nPid:\t-71\nPPid:\t70\n" USERS SPACES).known);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_what_the_calls_say),
        cmocka_unit_test(each_line_is_read),
        cmocka_unit_test(a_name_with_an_escape_is_asked_for),
        cmocka_unit_test(what_is_of_another_thread_or_namespace_is_not_taken),
        cmocka_unit_test(what_is_missing_or_cut_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
