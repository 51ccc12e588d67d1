/* Whose record it is that an event waits for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/run/captured.h"
#include "shim/shared/clock.h"
#include "tests/unit/open_trace.h"

enum { GUEST = 1 << 22, SERIAL = 7, OTHER = 8 }; /* above kernel.pid_max */

static struct destroyed destroyed;
static struct captured captured;

static int start(void **state) {
    (void)state;
    if (!open_trace_begin())
        return -1;
    destroyed_start(&destroyed, false);
    captured_start(&captured, &destroyed, false);
    return 0;
}

static int stop(void **state) {
    (void)state;
    captured_stop(&captured);
    destroyed_stop(&destroyed);
    return open_trace_end();
}

/* The shim's record of its program's start. */
static void guest_starts(uint64_t at_ns) {
    const struct pw_process identity = {
        .pid = GUEST, .serial = SERIAL, .pid_namespace = captured.processes.foreign.own_namespace};
    const struct trace_record record = {.kind = PW_KIND_PROCESS_START,
                                        .source = PW_SOURCE_SHIM,
                                        .process = SERIAL,
                                        .begin_ns = at_ns,
                                        .identity = &identity};
    captured_learn(&captured, &record);
}

static void guest_binds(uint64_t at_ns) {
    const struct outside_event event = {.kind = OUTSIDE_BIND,
                                        .source = PW_SOURCE_KERNEL,
                                        .pid = GUEST,
                                        .thread = GUEST,
                                        .begin_ns = at_ns,
                                        .end_ns = at_ns,
                                        .cookie = 99,
                                        .family = AF_INET,
                                        .type = SOCK_STREAM,
                                        .protocol = IPPROTO_TCP,
                                        .local_port = 40000};
    captured_note(&captured, &event);
}

static void a_call_waits_for_the_open_record_of_its_process(void **state) {
    (void)state;
    uint64_t now = monotonic_ns();
    guest_starts(now - 100);
    guest_binds(now);
    captured_begin_round(&captured);
    captured_learn_open(&captured, PW_KIND_BIND, SERIAL, now - 50);
    assert_false(captured_settle(&captured, false));
    captured_begin_round(&captured);
    assert_true(captured_settle(&captured, false));
}

static void a_call_does_not_wait_for_the_record_of_another_process(void **state) {
    (void)state;
    uint64_t now = monotonic_ns();
    guest_starts(now - 100);
    guest_binds(now);
    captured_begin_round(&captured);
    captured_learn_open(&captured, PW_KIND_CONNECT, OTHER, now - 50);
    assert_true(captured_settle(&captured, false));
}

static void a_call_does_not_wait_for_a_later_record(void **state) {
    (void)state;
    uint64_t now = monotonic_ns();
    guest_starts(now - 100);
    guest_binds(now - 50);
    captured_begin_round(&captured);
    captured_learn_open(&captured, PW_KIND_BIND, SERIAL, now);
    assert_true(captured_settle(&captured, false));
}

static void a_call_of_who_is_not_known_yet_waits_for_any_record(void **state) {
    (void)state;
    uint64_t now = monotonic_ns();
    guest_binds(now);
    captured_begin_round(&captured);
    captured_learn_open(&captured, PW_KIND_BIND, OTHER, now - 50);
    assert_false(captured_settle(&captured, false));
}

static void more_open_records_than_are_kept_may_be_of_anybody(void **state) {
    (void)state;
    uint64_t now = monotonic_ns();
    guest_starts(now - 100);
    guest_binds(now);
    captured_begin_round(&captured);
    for (int i = 0; i <= CAPTURED_OPEN_MAX; i++)
        captured_learn_open(&captured, PW_KIND_CONNECT, OTHER, now - 50);
    assert_false(captured_settle(&captured, false));
}

/* The shim's record of a bind of that socket. */
static void shim_recorded(uint64_t cookie) {
    const struct trace_record record = {
        .kind = PW_KIND_BIND, .source = PW_SOURCE_SHIM, .process = SERIAL, .cookie = cookie};
    captured_learn(&captured, &record);
}

static void what_the_shim_has_recorded_waits_for_nothing(void **state) {
    (void)state;
    uint64_t now = monotonic_ns();
    guest_starts(now - 100);
    guest_binds(now);
    shim_recorded(99);
    captured_begin_round(&captured);
    captured_learn_open(&captured, PW_KIND_CONNECT, SERIAL, now - 50);
    uint64_t before = atomic_load(&recorder_header()->next_unit);
    assert_true(captured_settle(&captured, false));
    assert_int_equal(atomic_load(&recorder_header()->next_unit), before);
}

static void there_is_room_until_the_queue_is_full(void **state) {
    (void)state;
    uint64_t now = monotonic_ns();
    size_t room = captured_room(&captured);
    guest_starts(now - 100);
    captured_begin_round(&captured);
    captured_learn_open(&captured, PW_KIND_BIND, SERIAL, now - 50);
    for (size_t i = 0; i < room; i++) {
        assert_true(captured_room(&captured) > 0);
        guest_binds(now);
    }
    assert_int_equal(captured_room(&captured), 0);
    assert_false(captured_settle(&captured, false));
}

/* A file that is loaded where it says, as captured_program.c asks for. */
static void write_program(char path[]) {
    const Elf64_Ehdr header = {.e_type = ET_EXEC};
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, &header, sizeof header), sizeof header);
    close(file);
}

/* It has ended, as there is no such process; what it did last may come with the next events. */
static void a_program_that_has_ended_is_open_until_its_last_events_are_read(void **state) {
    (void)state;
    char path[] = "/tmp/captured_test.XXXXXX";
    struct outside_process process = {.kind = OUTSIDE_EXEC, .pid = GUEST, .thread = GUEST};
    const struct outside_event event = {.kind = OUTSIDE_EXEC,
                                        .source = PW_SOURCE_KERNEL,
                                        .pid = GUEST,
                                        .thread = GUEST,
                                        .begin_ns = monotonic_ns(),
                                        .process = &process};
    write_program(path);
    memcpy(process.path, path, sizeof path);
    captured_note(&captured, &event);
    assert_non_null(captured_processes_program(&captured.processes, GUEST));
    captured_settle(&captured, false);
    assert_non_null(captured_processes_program(&captured.processes, GUEST));
    captured_settle(&captured, false);
    assert_null(captured_processes_program(&captured.processes, GUEST));
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_program_that_has_ended_is_open_until_its_last_events_are_read, start, stop),
        cmocka_unit_test_setup_teardown(a_call_waits_for_the_open_record_of_its_process, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_call_does_not_wait_for_the_record_of_another_process,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_call_does_not_wait_for_a_later_record, start, stop),
        cmocka_unit_test_setup_teardown(a_call_of_who_is_not_known_yet_waits_for_any_record, start,
                                        stop),
        cmocka_unit_test_setup_teardown(what_the_shim_has_recorded_waits_for_nothing, start, stop),
        cmocka_unit_test_setup_teardown(there_is_room_until_the_queue_is_full, start, stop),
        cmocka_unit_test_setup_teardown(more_open_records_than_are_kept_may_be_of_anybody, start,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
