/* How the ends of processes, and programs that never report, come into a trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/run/left_behind.h"
#include "harness/system/process_facts.h"
#include "harness/trace/reader.h"
#include "tests/unit/open_trace.h"

enum { LONG_AGO_MS = 10000 };

static struct watch watch;
static struct trace_reader *reader;

static int start(void **state) {
    (void)state;
    struct trace_reader_problem problem;
    if (!open_trace_begin())
        return -1;
    watch_start(&watch, epoll_create1(EPOLL_CLOEXEC), 0, open_trace_path);
    reader = trace_reader_open(open_trace_path, &problem);
    return reader != NULL ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    trace_reader_close(reader);
    close(watch.epoll);
    watch_stop(&watch);
    return open_trace_end();
}

static pid_t start_sleeper(void) {
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails must not leave it behind */
    for (;;)
        pause();
}

static void end_sleeper(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* What the shim would have written. */
static void learn_start(uint64_t serial, pid_t pid, uint64_t start_time) {
    struct pw_process identity = {.pid = (uint32_t)pid,
                                  .serial = serial,
                                  .start_time = start_time,
                                  .pid_namespace = process_own_namespace()};
    struct trace_record record = {.committed = true,
                                  .kind = PW_KIND_PROCESS_START,
                                  .source = PW_SOURCE_SHIM,
                                  .process = serial,
                                  .identity = &identity};
    watch_learn(&watch, &record);
}

static void learn(uint64_t serial, unsigned kind, pid_t pid, uint32_t uid) {
    struct pw_process identity = {.pid = (uint32_t)pid, .uid = uid};
    struct pw_numbers numbers = {.number = {(uint64_t)pid}};
    struct trace_record record = {.committed = true,
                                  .kind = kind,
                                  .source = PW_SOURCE_SHIM,
                                  .process = serial,
                                  .end_ns = monotonic_ns() - LONG_AGO_MS * UINT64_C(1000000),
                                  .identity = kind == PW_KIND_BLIND_SPOT ? NULL : &identity,
                                  .numbers = kind == PW_KIND_BLIND_SPOT ? &numbers : NULL,
                                  .text = "/the/program",
                                  .text_length = strlen("/the/program")};
    watch_learn(&watch, &record);
}

static uint64_t start_time_of(pid_t pid) {
    struct process_facts facts;
    assert_true(process_facts_read(pid, &facts));
    return facts.start_time;
}

static void take_ends(int timeout_ms) {
    struct epoll_event events[8];
    int count = epoll_wait(watch.epoll, events, 8, timeout_ms);
    for (int i = 0; i < count; i++)
        watch_ended(&watch, events[i].data.u64);
}

static int recorded_status; /* of the last end counted; -1 where it had none */

/* Where the kernel reports what a process ended with, a record of that follows the one of its end.
 */
static unsigned settle_and_count_ends(uint64_t serial) {
    struct trace_record record;
    recorded_status = -1;
    unsigned count = 0;
    take_ends(0);
    watch_settle(&watch);
    watch_settle(&watch);
    while (trace_reader_next(reader, &record) == TRACE_NEXT_RECORD)
        if (record.kind == PW_KIND_PROCESS_EXIT && record.process == serial) {
            assert_int_equal(record.source, PW_SOURCE_RUN);
            if ((record.flags & PW_FLAG_STATUS_KNOWN) != 0)
                recorded_status = PW_STATUS_OF_FLAGS(record.flags);
            else
                count++;
        }
    return count;
}

/* The reason of the one blind spot in the trace, 0 if there is none. */
static unsigned blind_spot(char *name, size_t size) {
    struct trace_record record;
    unsigned reason = 0;
    while (trace_reader_next(reader, &record) == TRACE_NEXT_RECORD) {
        if (record.kind != PW_KIND_BLIND_SPOT)
            continue;
        assert_int_equal(reason, 0);
        reason = record.numbers->code;
        snprintf(name, size, "%s", record.text);
    }
    return reason;
}

static void a_watched_process_lives_until_it_is_killed(void **state) {
    (void)state;
    pid_t pid = start_sleeper();
    learn_start(1, pid, start_time_of(pid));
    assert_true(watch_lives(&watch, 1));
    assert_int_equal(settle_and_count_ends(1), 0);
    end_sleeper(pid);
    take_ends(1000);
    assert_false(watch_lives(&watch, 1));
    assert_int_equal(watch.living, 0);
    assert_int_equal(settle_and_count_ends(1), 1);
    if (recorded_status >= 0) /* Linux 6.15 */
        assert_int_equal(recorded_status, SIGKILL);
}

static void the_command_s_own_status_is_recorded_at_once(void **state) {
    (void)state;
    pid_t pid = start_sleeper();
    learn_start(1, pid, start_time_of(pid));
    end_sleeper(pid);
    watch.child = pid;
    watch.child_ended = true;
    watch.child_status = 3 << 8;
    take_ends(1000);
    assert_int_equal(settle_and_count_ends(1), 0);
    assert_int_equal(recorded_status, 3 << 8);
}

static void another_process_with_the_same_pid_is_not_trusted(void **state) {
    (void)state;
    pid_t pid = start_sleeper();
    learn_start(1, pid, start_time_of(pid) - 1);
    assert_false(watch_lives(&watch, 1));
    assert_int_equal(settle_and_count_ends(1), 1);
    end_sleeper(pid);
}

static void a_dead_process_that_recorded_its_end_gets_no_second_one(void **state) {
    (void)state;
    learn_start(1, getpid(), 1);
    learn(1, PW_KIND_PROCESS_EXIT, getpid(), 0);
    assert_int_equal(settle_and_count_ends(1), 0);
}

static void an_exec_moves_the_watch_to_the_new_serial(void **state) {
    (void)state;
    pid_t pid = start_sleeper();
    learn_start(1, pid, start_time_of(pid));
    learn_start(2, pid, start_time_of(pid));
    assert_false(watch_lives(&watch, 1));
    assert_true(watch_lives(&watch, 2));
    assert_int_equal(watch.living, 1);
    end_sleeper(pid);
    take_ends(1000);
    assert_int_equal(settle_and_count_ends(2), 1);
    trace_reader_rewind(reader);
    assert_int_equal(settle_and_count_ends(1), 0);
}

static void a_process_of_another_pid_namespace_is_counted_as_lost(void **state) {
    (void)state;
    struct pw_process identity = {.pid = (uint32_t)getpid(),
                                  .serial = 1,
                                  .start_time = start_time_of(getpid()),
                                  .pid_namespace = process_own_namespace() + 1};
    struct trace_record record = {.committed = true,
                                  .kind = PW_KIND_PROCESS_START,
                                  .source = PW_SOURCE_SHIM,
                                  .process = 1,
                                  .identity = &identity};
    watch_learn(&watch, &record);
    assert_false(watch_lives(&watch, 1));
    assert_int_equal(settle_and_count_ends(1), 0);
    assert_int_equal(recorder_header()->lost[PW_LOST_PROCESS_ENDS], 1);
}

/* A namespace that a process here has made lies within ours. */
static void who_is_not_found_in_a_namespace_of_ours_has_ended(void **state) {
    (void)state;
    struct pw_process parent = {.pid = (uint32_t)getpid(),
                                .serial = 1,
                                .start_time = start_time_of(getpid()),
                                .pid_namespace = process_own_namespace()};
    struct pw_process child = {.pid = 1,
                               .serial = 2,
                               .parent = 1,
                               .start_time = start_time_of(getpid()) + 1000000,
                               .pid_namespace = process_own_namespace() + 1};
    struct trace_record record = {.committed = true,
                                  .kind = PW_KIND_PROCESS_START,
                                  .source = PW_SOURCE_SHIM,
                                  .process = 1,
                                  .identity = &parent};
    watch_learn(&watch, &record);
    record.process = 2;
    record.identity = &child;
    watch_learn(&watch, &record);
    assert_int_equal(settle_and_count_ends(2), 1);
    assert_int_equal(recorder_header()->lost[PW_LOST_PROCESS_ENDS], 0);
}

static bool has_pidfds(void) {
    int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (pidfd >= 0)
        close(pidfd);
    return pidfd >= 0;
}

static void a_serial_out_of_all_reason_takes_no_more_room_than_another(void **state) {
    (void)state;
    learn_start(UINT64_MAX, getpid(), 1); /* is the signals' */
    learn_start(0, getpid(), 1);
    assert_int_equal(watch.process_count, 0);
    learn_start(UINT64_C(1) << 40, getpid(), start_time_of(getpid()));
    learn_start((1 << 24) - 10, getpid(), 1);
    assert_in_range(watch.process_room, 2, 64);
    assert_int_equal(watch_lives(&watch, UINT64_C(1) << 40), has_pidfds());
    assert_false(watch_lives(&watch, UINT64_MAX));
}

static void a_program_that_never_reports_is_a_blind_spot(void **state) {
    (void)state;
    char name[4096] = "";
    char program[4096] = "";
    char link[64];
    pid_t pid = start_sleeper();
    learn_start(1, pid, start_time_of(pid));
    learn(1, PW_KIND_EXEC, pid, getuid());
    watch_look(&watch);
    watch_record_unseen(&watch);
    snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
    ssize_t length = readlink(link, program, sizeof program - 1);
    end_sleeper(pid);
    assert_int_equal(blind_spot(name, sizeof name), PW_BLIND_UNSEEN);
    assert_true(length > 0);
    assert_string_equal(name, program);
}

static void a_user_who_may_not_open_the_trace_is_a_blind_spot(void **state) {
    (void)state;
    char name[4096] = "";
    pid_t pid = start_sleeper();
    learn_start(1, pid, start_time_of(pid));
    learn(1, PW_KIND_EXEC, pid, getuid() + 1);
    end_sleeper(pid);
    watch_record_unseen(&watch);
    assert_int_equal(blind_spot(name, sizeof name), PW_BLIND_NO_ACCESS);
    assert_string_equal(name, "/the/program");
}

static void who_reports_after_all_is_none(void **state) {
    (void)state;
    char name[64];
    pid_t pid = start_sleeper();
    uint64_t start_time = start_time_of(pid);
    learn_start(1, pid, start_time);
    learn(1, PW_KIND_EXEC, pid, getuid() + 1);
    learn_start(2, pid, start_time);
    learn(2, PW_KIND_EXEC, pid, getuid());
    watch_look(&watch);
    learn(2, PW_KIND_EXEC_FAILED, pid, getuid());
    learn(2, PW_KIND_EXEC, pid, getuid());
    watch_look(&watch);
    learn(2, PW_KIND_BLIND_SPOT, pid, 0);
    watch_look(&watch);
    watch_record_unseen(&watch);
    end_sleeper(pid);
    assert_int_equal(blind_spot(name, sizeof name), 0);
}

static void note_living(void *with, uint64_t serial, pid_t pid) {
    unsigned *count = with;
    assert_int_equal(serial, 1);
    assert_true(pid > 0);
    ++*count;
}

static unsigned living(void) {
    unsigned count = 0;
    watch_each_living(&watch, note_living, &count);
    return count;
}

/* What the summary says of them, without ports. */
static const char *named(char text[256]) {
    struct left_behind left = {0};
    left_behind_look(&left, &watch);
    left_behind_name(&left, text, 256);
    left_behind_free(&left);
    return text;
}

static void those_that_live_on_are_named(void **state) {
    (void)state;
    char text[256];
    char expected[256];
    struct process_facts facts;
    pid_t pid = start_sleeper();
    assert_true(process_facts_read(pid, &facts));
    assert_int_equal(living(), 0);
    assert_string_equal(named(text), "");
    learn_start(1, pid, start_time_of(pid));
    assert_int_equal(living(), 1);
    snprintf(expected, sizeof expected, "%s (%d)", facts.comm, (int)pid);
    assert_string_equal(named(text), expected);
    end_sleeper(pid);
    assert_int_equal(living(), 0);
    assert_string_equal(named(text), "");
}

/* As on a kernel without pidfd_open, and as valgrind 3.19 has it. */
static void without_pidfds_the_ends_are_counted_as_lost(void **state) {
    (void)state;
    learn_start(1, getpid(), start_time_of(getpid()));
    assert_false(watch_lives(&watch, 1));
    assert_int_equal(recorder_header()->lost[PW_LOST_PROCESS_ENDS], 1);
    assert_int_equal(settle_and_count_ends(1), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void) {
    const struct CMUnitTest with_pidfds[] = {
        TEST(a_watched_process_lives_until_it_is_killed),
        TEST(the_command_s_own_status_is_recorded_at_once),
        TEST(another_process_with_the_same_pid_is_not_trusted),
        TEST(a_dead_process_that_recorded_its_end_gets_no_second_one),
        TEST(an_exec_moves_the_watch_to_the_new_serial),
        TEST(a_program_that_never_reports_is_a_blind_spot),
        TEST(those_that_live_on_are_named),
        TEST(a_process_of_another_pid_namespace_is_counted_as_lost),
        TEST(who_is_not_found_in_a_namespace_of_ours_has_ended),
        TEST(a_serial_out_of_all_reason_takes_no_more_room_than_another),
        TEST(a_user_who_may_not_open_the_trace_is_a_blind_spot),
        TEST(who_reports_after_all_is_none),
    };
    const struct CMUnitTest without_pidfds[] = {
        TEST(without_pidfds_the_ends_are_counted_as_lost),
        TEST(a_process_of_another_pid_namespace_is_counted_as_lost),
        TEST(a_serial_out_of_all_reason_takes_no_more_room_than_another),
        TEST(a_user_who_may_not_open_the_trace_is_a_blind_spot),
        TEST(who_reports_after_all_is_none),
    };
    if (has_pidfds())
        return cmocka_run_group_tests(with_pidfds, NULL, NULL);
    return cmocka_run_group_tests(without_pidfds, NULL, NULL);
}
