/* What the summary says of programs that could not be notified: each cause by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "harness/run/unnotified.h"

static void assert_said(unsigned what, uint64_t count, int error, const char *expected) {
    struct unnotified unnotified = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    unnotified.count[what] = count;
    unnotified.error[what] = error;
    unnotified_print(&unnotified, out);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static void each_cause_is_said_with_its_errno_and_what_helps(void **state) {
    (void)state;
    assert_said(PW_NOTIFY_NOT_TAKEN, 1, EPERM,
                "portwitness: 1 program not seen: no descriptor may be taken from it "
                "(pidfd_getfd); in a container --cap-add SYS_PTRACE allows it\n");
    assert_said(PW_NOTIFY_NOT_TAKEN, 2, ESRCH,
                "portwitness: 2 programs not seen: no descriptor may be taken from them "
                "(pidfd_getfd: ESRCH); in a container --cap-add SYS_PTRACE allows it\n");
    assert_said(PW_NOTIFY_NOT_ALLOWED, 1, EINVAL,
                "portwitness: 1 program not seen: it was refused the filter (seccomp: EINVAL); "
                "--capture=ebpf as root\n");
    assert_said(PW_NOTIFY_UNANSWERED, 1, 0,
                "portwitness: 1 program not seen: it was not answered in time\n");
}

static void a_listener_that_was_named_by_somebody_else_is_said(void **state) {
    (void)state;
    assert_said(PW_NOTIFY_FOREIGN, 1, 0,
                "portwitness: 1 listener of a filter not taken: named by a program that had not "
                "just installed it\n");
}

static void what_went_well_is_not_said_and_not_counted(void **state) {
    (void)state;
    struct unnotified unnotified = {0};
    assert_said(PW_NOTIFY_INSTALLED, 3, 0, "");
    assert_said(PW_NOTIFY_WATCHED, 3, EBUSY, "");
    for (unsigned i = 0; i < PW_NOTIFY_COUNTS; i++)
        unnotified.count[i] = 1;
    assert_int_equal(unnotified_sum(&unnotified), PW_NOTIFY_COUNTS - 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cause_is_said_with_its_errno_and_what_helps),
        cmocka_unit_test(a_listener_that_was_named_by_somebody_else_is_said),
        cmocka_unit_test(what_went_well_is_not_said_and_not_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
