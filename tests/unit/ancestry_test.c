/* Who can have handed a number to whom: what exec, fork and spawning make of processes. */
#include "harness/check/ancestry.h"

#include "tests/unit/history_fixture.h"

/* Of a family, four generations deep on either side; serials count up as the shim's do. */
enum {
    ROOT = 1,
    SON,
    DAUGHTER,
    GRANDSON,
    GRANDDAUGHTER,
    GREAT_GRANDSON,
    GREAT_GRANDDAUGHTER,
    LAST_SON,
    LAST_DAUGHTER,
    STRANGER = 20,
    NEVER_SEEN = 77
};

static void make_family(void) {
    starts(0, ROOT, 10);
    forks(ROOT, SON, 20);
    forks(ROOT, DAUGHTER, 21);
    forks(SON, GRANDSON, 22);
    forks(DAUGHTER, GRANDDAUGHTER, 23);
    forks(GRANDSON, GREAT_GRANDSON, 24);
    forks(GRANDDAUGHTER, GREAT_GRANDDAUGHTER, 25);
    forks(GREAT_GRANDSON, LAST_SON, 26);
    forks(GREAT_GRANDDAUGHTER, LAST_DAUGHTER, 27);
    starts(0, STRANGER, 28);
}

static void assert_same(uint64_t one, uint64_t other, bool same) {
    assert_int_equal(ancestry_is_same(&machine, one, other), same);
    assert_int_equal(ancestry_is_same(&machine, other, one), same);
}

static void assert_related(uint64_t one, uint64_t other, bool related) {
    assert_int_equal(ancestry_is_related(&machine, one, other), related);
    assert_int_equal(ancestry_is_related(&machine, other, one), related);
}

static void assert_siblings(uint64_t one, uint64_t other, bool siblings) {
    assert_int_equal(ancestry_is_sibling(&machine, one, other), siblings);
    assert_int_equal(ancestry_is_sibling(&machine, other, one), siblings);
}

static void exec_keeps_the_process(void **state) {
    (void)state;
    starts(0, 1, 10);
    executes(1, 1, 5, 20);
    executes(1, 5, 6, 30);
    read_history();
    assert_int_equal(ancestry_process(&machine, 6), 1);
    assert_int_equal(ancestry_process(&machine, 5), 1);
    assert_same(1, 6, true);
    assert_same(5, 6, true);
    assert_related(1, 6, true);
    assert_int_equal(ancestry_parent(&machine, 6), 0);
}

static void fork_makes_a_child_that_is_another_process(void **state) {
    (void)state;
    starts(0, 1, 10);
    forks(1, 2, 20);
    read_history();
    assert_int_equal(ancestry_process(&machine, 2), 2);
    assert_int_equal(ancestry_parent(&machine, 2), 1);
    assert_same(1, 2, false);
    assert_same(2, 2, true);
    assert_related(1, 2, true);
}

static void a_spawned_program_is_another_process_too(void **state) {
    (void)state;
    starts(0, 1, 10);
    starts(1, 2, 20)->start.flags = PW_FLAG_BY_EXEC;
    read_history();
    assert_int_equal(ancestry_process(&machine, 2), 2);
    assert_int_equal(ancestry_parent(&machine, 2), 1);
    assert_same(1, 2, false);
}

static void one_pid_in_another_pid_namespace_is_no_exec(void **state) {
    (void)state;
    starts(0, 1, 10)[1].process.pid_namespace = 7;
    executes(1, 1, 5, 20);
    writer.units[writer.used - 1].process.pid_namespace = 8;
    read_history();
    assert_same(1, 5, false);
    assert_int_equal(ancestry_parent(&machine, 5), 1);
}

static void a_child_that_cannot_ask_for_its_pid_is_no_exec_of_its_parent(void **state) {
    (void)state;
    starts(0, 1, 10)[1].process.pid = 0;
    process_record(PW_KIND_FORK, 1, 2, 1, 0, 20);
    read_history();
    assert_same(1, 2, false);
    assert_int_equal(ancestry_parent(&machine, 2), 1);
}

static void a_program_whose_former_image_was_not_seen_stands_at_the_top(void **state) {
    (void)state;
    executes(1, 4, 5, 20);
    starts(0, 6, 30)->start.flags = PW_FLAG_BY_EXEC;
    read_history();
    assert_int_equal(ancestry_process(&machine, 5), 5);
    assert_int_equal(ancestry_process(&machine, 6), 6);
    assert_int_equal(ancestry_parent(&machine, 6), 0);
}

static void ancestors_are_related_and_siblings_are_not(void **state) {
    (void)state;
    make_family();
    read_history();
    assert_related(ROOT, LAST_SON, true);
    assert_related(SON, GREAT_GRANDSON, true);
    assert_related(SON, SON, true);
    assert_related(SON, DAUGHTER, false);
    assert_related(SON, LAST_DAUGHTER, false);
    assert_related(ROOT, STRANGER, false);
}

static void a_child_is_related_to_what_its_parent_executed_since(void **state) {
    (void)state;
    starts(0, 1, 10);
    forks(1, 2, 20);
    executes(1, 1, 5, 30);
    forks(5, 6, 40);
    read_history();
    assert_related(2, 5, true);
    assert_related(1, 6, true);
    assert_int_equal(ancestry_parent(&machine, 6), 1);
    assert_related(2, 6, false);
}

static void children_of_one_process_are_siblings_whatever_it_executed_between(void **state) {
    (void)state;
    starts(0, 1, 10);
    forks(1, 2, 20);
    executes(1, 1, 5, 30);
    forks(5, 6, 40);
    executes(6, 6, 7, 50);
    read_history();
    assert_siblings(2, 6, true);
    assert_siblings(2, 7, true);
}

static void siblings_go_three_generations_up_and_not_four(void **state) {
    (void)state;
    make_family();
    read_history();
    assert_siblings(SON, DAUGHTER, true);
    assert_siblings(GRANDSON, GRANDDAUGHTER, true);
    assert_siblings(GREAT_GRANDSON, GREAT_GRANDDAUGHTER, true);
    assert_siblings(SON, GREAT_GRANDDAUGHTER, true);
    assert_siblings(LAST_SON, LAST_DAUGHTER, false);
    assert_siblings(SON, LAST_DAUGHTER, false);
}

static void an_exec_on_the_way_up_is_no_generation(void **state) {
    (void)state;
    make_family();
    executes(GRANDSON, GRANDSON, 30, 40);
    forks(30, 31, 50);
    executes(31, 31, 32, 60);
    read_history();
    assert_siblings(32, GREAT_GRANDDAUGHTER, true);
    assert_siblings(32, LAST_DAUGHTER, false);
}

static void strangers_have_no_ancestor_in_common(void **state) {
    (void)state;
    make_family();
    starts(0, STRANGER + 1, 30);
    read_history();
    assert_siblings(SON, STRANGER, false);
    assert_siblings(STRANGER, STRANGER + 1, false); /* that neither has a parent is nothing */
}

static void processes_of_different_traces_are_strangers(void **state) {
    (void)state;
    const uint64_t tag = UINT64_C(1) << MACHINE_TAG_SHIFT;

    make_family();
    executes(SON, SON, 30, 40);
    check.trace_count = 2;
    read_history();
    assert_same(tag | SON, SON, false);
    assert_related(tag | ROOT, SON, false);
    assert_siblings(tag | SON, DAUGHTER, false);
    /* ... and within the second it is as in the first. */
    assert_same(tag | SON, tag | 30, true);
    assert_related(tag | ROOT, tag | 30, true);
    assert_siblings(tag | 30, tag | DAUGHTER, true);
    assert_true(ancestry_process(&machine, tag | 30) == (tag | SON));
    assert_true(ancestry_parent(&machine, tag | 30) == (tag | ROOT));
}

static struct process *process_of(uint64_t serial) {
    return &check.traces[0].processes.list[processes_index(&check.traces[0].processes, serial)];
}

static void a_serial_in_one_trace_says_nothing_about_another_trace(void **state) {
    (void)state;
    const uint64_t tag = UINT64_C(1) << MACHINE_TAG_SHIFT;

    make_family();
    executes(SON, SON, 30, 40);
    forks(30, 31, 50);
    check.trace_count = 2;
    read_history();
    /* In the first, alone, it is another process, began at another time, and ended. */
    *process_of(SON) = (struct process){
        .serial = SON, .start_time = 1502, .first_ns = 5, .status = 0x0100, .pid = 7};
    *process_of(30) =
        (struct process){.serial = 30, .start_time = 1502, .first_ns = 6, .status = 0, .pid = 502};
    processes_finish(&check.traces[0].processes);
    assert_true(ancestry_process(&machine, tag | 30) == (tag | SON));
    assert_int_equal(ancestry_program_began_ns(&machine, tag | 31), 40);
    assert_int_equal(ancestry_status(&machine, tag | SON), -1);
    assert_int_equal(ancestry_status(&machine, SON), 0x0100);
}

static void nobody_is_related_to_nobody(void **state) {
    (void)state;
    make_family();
    read_history();
    assert_same(0, 0, false);
    assert_related(0, 0, false);
    assert_related(0, ROOT, false);
    assert_siblings(0, 0, false);
    assert_int_equal(ancestry_process(&machine, 0), 0);
    assert_int_equal(ancestry_parent(&machine, 0), 0);
}

static void a_serial_without_a_record_is_alone(void **state) {
    (void)state;
    make_family();
    read_history();
    assert_int_equal(ancestry_process(&machine, NEVER_SEEN), NEVER_SEEN);
    assert_int_equal(ancestry_parent(&machine, NEVER_SEEN), 0);
    assert_same(NEVER_SEEN, NEVER_SEEN, true);
    assert_same(NEVER_SEEN, ROOT, false);
    assert_related(NEVER_SEEN, ROOT, false);
    assert_siblings(NEVER_SEEN, SON, false);
    assert_int_equal(ancestry_status(&machine, NEVER_SEEN), -1);
    assert_int_equal(ancestry_program_began_ns(&machine, NEVER_SEEN), 0);
    /* Nor is there a trace with that number. */
    assert_int_equal(ancestry_status(&machine, UINT64_C(9) << MACHINE_TAG_SHIFT | 1), -1);
}

static void a_process_that_is_its_own_parent_ends_the_search(void **state) {
    (void)state;
    starts(1, 1, 10);
    starts(0, 2, 20);
    read_history();
    process_of(1)->parent = 1;
    assert_int_equal(ancestry_parent(&machine, 1), 0);
    assert_related(1, 2, false);
    assert_siblings(1, 2, false);
    process_of(1)->by_exec = true;
    assert_int_equal(ancestry_process(&machine, 1), 1);
}

static void parents_in_a_ring_end_the_search(void **state) {
    (void)state;
    for (uint64_t serial = 1; serial <= 3; serial++)
        starts(0, serial, 10 * serial);
    starts(0, 9, 40);
    read_history();
    process_of(1)->parent = 3;
    process_of(2)->parent = 1;
    process_of(3)->parent = 2;
    assert_related(3, 9, false);
    assert_related(9, 1, false);
    assert_siblings(9, 3, false);
    for (uint64_t serial = 1; serial <= 3; serial++) {
        *process_of(serial) = (struct process){.serial = serial,
                                               .parent = serial == 1 ? 3 : serial - 1,
                                               .by_fork = true,
                                               .by_exec = true,
                                               .pid = 500,
                                               .status = -1};
    }
    assert_in_range(ancestry_process(&machine, 3), 1, 3);
    assert_int_equal(ancestry_program_began_ns(&machine, 3), 0);
}

static void a_program_began_when_its_first_record_did(void **state) {
    (void)state;
    starts(0, 1, 10);
    executes(1, 1, 5, 30);
    read_history();
    assert_int_equal(ancestry_program_began_ns(&machine, 1), 10);
    assert_int_equal(ancestry_program_began_ns(&machine, 5), 30);
}

static void a_forked_child_goes_on_with_a_program_that_began_before(void **state) {
    (void)state;
    starts(0, 1, 10);
    executes(1, 1, 5, 30);
    forks(5, 6, 40);
    forks(6, 7, 50);
    executes(7, 7, 8, 60);
    read_history();
    assert_int_equal(ancestry_program_began_ns(&machine, 6), 30);
    assert_int_equal(ancestry_program_began_ns(&machine, 7), 30);
    assert_int_equal(ancestry_program_began_ns(&machine, 8), 60);
}

static void when_a_program_began_is_not_known_without_a_record_of_its_own(void **state) {
    (void)state;
    starts(0, 6, 10)->start.flags = PW_FLAG_BY_FORK; /* whoever forked it was not seen */
    process_record(PW_KIND_PROCESS_EXIT, 7, 7, 0, 507, 50)->start.source = PW_SOURCE_RUN;
    read_history();
    assert_int_equal(ancestry_program_began_ns(&machine, 6), 0);
    assert_int_equal(ancestry_program_began_ns(&machine, 7), 0);
}

static void ends(uint64_t serial, uint32_t pid, unsigned status) {
    union pw_unit *units = process_record(PW_KIND_PROCESS_EXIT, serial, serial, 0, pid, 90);

    units[0].start.source = PW_SOURCE_RUN;
    units[0].start.flags = PW_FLAG_STATUS_KNOWN | PW_FLAG_STATUS(status);
}

static void the_status_is_what_waitpid_reported(void **state) {
    (void)state;
    starts(0, 1, 10);
    starts(0, 2, 20);
    starts(0, 3, 30);
    ends(1, 501, 0x0300);
    ends(2, 502, 0);
    read_history();
    assert_int_equal(ancestry_status(&machine, 1), 0x0300);
    assert_int_equal(ancestry_status(&machine, 2), 0);
    assert_int_equal(ancestry_status(&machine, 3), -1);
}

static void the_status_is_that_of_the_program_that_ran_last(void **state) {
    (void)state;
    starts(0, 1, 10);
    executes(1, 1, 5, 30);
    ends(5, 501, 0x0100);
    read_history();
    assert_int_equal(ancestry_status(&machine, 1), 0x0100);
    assert_int_equal(ancestry_status(&machine, 5), 0x0100);
}

static void a_pid_given_again_lends_no_status(void **state) {
    (void)state;
    starts(0, 1, 10);
    starts(0, 5, 30)[1].process.pid = 501; /* began at another time */
    ends(5, 501, 0x0100);
    read_history();
    assert_int_equal(ancestry_status(&machine, 1), -1);
}

static void another_process_lends_no_status_for_what_it_has_alike(void **state) {
    (void)state;
    starts(0, 1, 10)[1].process.pid_namespace = 7;
    starts(0, 2, 20)[1].process.start_time = 1501; /* began at the same tick */
    writer.units[writer.used - 1].process.pid_namespace = 7;
    executes(1, 1, 3, 30); /* and this one has pid 501 elsewhere */
    writer.units[writer.used - 1].process.pid_namespace = 8;
    ends(2, 502, 0x0200);
    ends(3, 501, 0x0300);
    read_history();
    assert_int_equal(ancestry_status(&machine, 1), -1);
}

static void without_a_start_time_nothing_is_known_to_be_the_same(void **state) {
    (void)state;
    starts(0, 1, 10)[1].process.start_time = 0;
    starts(0, 5, 30)[1].process.pid = 501;
    writer.units[writer.used - 1].process.start_time = 0;
    ends(5, 501, 0x0100);
    read_history();
    assert_int_equal(ancestry_status(&machine, 1), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HISTORY_TEST(exec_keeps_the_process),
        HISTORY_TEST(fork_makes_a_child_that_is_another_process),
        HISTORY_TEST(a_spawned_program_is_another_process_too),
        HISTORY_TEST(one_pid_in_another_pid_namespace_is_no_exec),
        HISTORY_TEST(a_child_that_cannot_ask_for_its_pid_is_no_exec_of_its_parent),
        HISTORY_TEST(a_program_whose_former_image_was_not_seen_stands_at_the_top),
        HISTORY_TEST(ancestors_are_related_and_siblings_are_not),
        HISTORY_TEST(a_child_is_related_to_what_its_parent_executed_since),
        HISTORY_TEST(children_of_one_process_are_siblings_whatever_it_executed_between),
        HISTORY_TEST(siblings_go_three_generations_up_and_not_four),
        HISTORY_TEST(an_exec_on_the_way_up_is_no_generation),
        HISTORY_TEST(strangers_have_no_ancestor_in_common),
        HISTORY_TEST(processes_of_different_traces_are_strangers),
        HISTORY_TEST(a_serial_in_one_trace_says_nothing_about_another_trace),
        HISTORY_TEST(nobody_is_related_to_nobody),
        HISTORY_TEST(a_serial_without_a_record_is_alone),
        HISTORY_TEST(a_process_that_is_its_own_parent_ends_the_search),
        HISTORY_TEST(parents_in_a_ring_end_the_search),
        HISTORY_TEST(a_program_began_when_its_first_record_did),
        HISTORY_TEST(a_forked_child_goes_on_with_a_program_that_began_before),
        HISTORY_TEST(when_a_program_began_is_not_known_without_a_record_of_its_own),
        HISTORY_TEST(the_status_is_what_waitpid_reported),
        HISTORY_TEST(the_status_is_that_of_the_program_that_ran_last),
        HISTORY_TEST(a_pid_given_again_lends_no_status),
        HISTORY_TEST(another_process_lends_no_status_for_what_it_has_alike),
        HISTORY_TEST(without_a_start_time_nothing_is_known_to_be_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
