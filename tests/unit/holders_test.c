/* Who holds a socket: the ways in which descriptors travel and go. */
#include "tests/unit/bindings_fixture.h"

static void a_duplicate_keeps_it(void **state) {
    union pw_unit *units;

    (void)state;
    make_listener(0);
    units = on_socket(PW_KIND_DESCRIPTOR, SOCK_STREAM, PARENT, 7, 30, 150);
    units[0].start.flags = PW_FLAG_DUPLICATED;
    units[2].peer.other_descriptor = 3;
    close_socket(PARENT, 3, 30, 200);
    close_socket(PARENT, 7, 30, 300);
    analyse();
    assert_ends(0, END_CLOSED, 305);
}

static void a_forked_child_keeps_it_from_the_fork_on(void **state) {
    (void)state;
    make_listener(0);
    process_record(PW_KIND_FORK, PARENT, CHILD, PARENT, 501, 150);
    close_socket(PARENT, 3, 30, 200);
    close_socket(CHILD, 3, 30, 300);
    analyse();
    assert_ends(0, END_CLOSED, 305);
}

static void a_child_that_closed_before_fork_returned_keeps_nothing(void **state) {
    union pw_unit *fork_record;

    (void)state;
    make_listener(0);
    fork_record = process_record(PW_KIND_FORK, PARENT, CHILD, PARENT, 501, 150);
    fork_record[0].start.end_ns = 190;
    close_socket(CHILD, 3, 30, 160);
    close_socket(PARENT, 3, 30, 200);
    analyse();
    assert_ends(0, END_CLOSED, 205);
}

static void a_child_without_a_fork_record_has_what_its_parent_had(void **state) {
    union pw_unit *units;

    (void)state;
    make_listener(0);
    units = process_record(PW_KIND_PROCESS_START, CHILD, CHILD, PARENT, 501, 150);
    units[0].start.flags = PW_FLAG_BY_FORK;
    close_socket(PARENT, 3, 30, 200);
    analyse();
    assert_ends(0, END_NOT_SEEN, 0);
}

static void exit_of_the_last_holder_ends_it(void **state) {
    (void)state;
    make_listener(0);
    process_record(PW_KIND_FORK, PARENT, CHILD, PARENT, 501, 150);
    process_record(PW_KIND_PROCESS_EXIT, PARENT, PARENT, 0, 500, 200);
    process_record(PW_KIND_PROCESS_EXIT, CHILD, CHILD, 0, 501, 300)[0].start.source = PW_SOURCE_RUN;
    analyse();
    assert_ends(0, END_EXIT, 305);
}

static void a_vfork_child_changes_nothing_of_its_parent(void **state) {
    (void)state;
    make_listener(0);
    close_socket(PARENT, 3, 30, 200);
    writer.units[writer.used - 1].start.flags = PW_FLAG_VFORK_CHILD;
    process_record(PW_KIND_PROCESS_EXIT, PARENT, PARENT, 0, 500, 210)[0].start.flags =
        PW_FLAG_VFORK_CHILD;
    analyse();
    assert_ends(0, END_NOT_SEEN, 0);
}

static union pw_unit *exec_image(uint64_t at) {
    union pw_unit *units = process_record(PW_KIND_PROCESS_START, IMAGE, IMAGE, PARENT, 500, at);

    units[0].start.flags = PW_FLAG_BY_EXEC;
    return units;
}

static void what_a_new_program_does_not_inherit_was_closed_at_the_exec(void **state) {
    (void)state;
    make_listener(0);
    exec_image(200);
    analyse();
    assert_ends(0, END_CLOSED, 200);
}

static void what_a_new_program_inherits_goes_on(void **state) {
    (void)state;
    make_listener(0);
    exec_image(200);
    on_socket(PW_KIND_DESCRIPTOR, SOCK_STREAM, IMAGE, 3, 30, 210)[0].start.flags =
        PW_FLAG_INHERITED;
    /* `run` knows the process by its first serial. */
    process_record(PW_KIND_PROCESS_EXIT, PARENT, PARENT, 0, 500, 400)[0].start.source =
        PW_SOURCE_RUN;
    analyse();
    assert_ends(0, END_EXIT, 405);
}

static void another_process_with_the_pid_again_is_no_exec(void **state) {
    union pw_unit *units;

    (void)state;
    make_listener(0);
    units = process_record(PW_KIND_PROCESS_START, IMAGE, IMAGE, 0, 500, 200);
    units[1].process.start_time = 7;
    analyse();
    assert_ends(0, END_NOT_SEEN, 0);
}

static void a_descriptor_in_flight_keeps_it(void **state) {
    (void)state;
    make_listener(0);
    writer_add(&writer, PW_KIND_PASSED, 1, PARENT, 3, 30, 150, 155);
    close_socket(PARENT, 3, 30, 200);
    analyse();
    assert_ends(0, END_NOT_SEEN, 0);
}

static void a_descriptor_that_arrived_ends_with_its_receiver(void **state) {
    (void)state;
    make_listener(0);
    /* Received before the call that sent it has returned. */
    writer_add(&writer, PW_KIND_PASSED, 1, PARENT, 3, 30, 150, 190);
    on_socket(PW_KIND_DESCRIPTOR, SOCK_STREAM, CHILD, 9, 30, 160)[0].start.flags = PW_FLAG_RECEIVED;
    close_socket(PARENT, 3, 30, 200);
    close_socket(CHILD, 9, 30, 300);
    analyse();
    assert_ends(0, END_CLOSED, 305);
}

static void an_inferred_release_is_reported_as_such(void **state) {
    (void)state;
    make_listener(0);
    close_socket(PARENT, 3, 30, 200);
    writer.units[writer.used - 1].start.flags = PW_FLAG_RELEASE_INFERRED;
    analyse();
    assert_ends(0, END_INFERRED, 205);
}

static void a_number_that_is_another_socket_was_released(void **state) {
    (void)state;
    make_listener(0);
    on_socket(PW_KIND_SOCKET, SOCK_STREAM, PARENT, 3, 31, 300);
    analyse();
    assert_ends(0, END_INFERRED, 305);
}

static void a_close_that_returned_late_ends_the_socket_that_it_closed(void **state) {
    (void)state;
    make_listener(0);
    writer_add(&writer, PW_KIND_CLOSE, 1, PARENT, 3, 30, 200, 400);
    on_socket(PW_KIND_SOCKET, SOCK_STREAM, PARENT, 3, 31, 300);
    bind_socket(SOCK_STREAM, PARENT, 3, 31, 310, 0, 40001);
    analyse();
    assert_ends(0, END_CLOSED, 400);
    assert_ends(1, END_NOT_SEEN, 0);
}

static void sockets_without_cookies_are_told_apart_by_their_descriptors(void **state) {
    (void)state;
    on_socket(PW_KIND_SOCKET, SOCK_STREAM, PARENT, 3, 0, 100);
    bind_socket(SOCK_STREAM, PARENT, 3, 0, 110, 0, 40000);
    on_socket(PW_KIND_SOCKET, SOCK_STREAM, PARENT, 4, 0, 120);
    bind_socket(SOCK_STREAM, PARENT, 4, 0, 130, 0, 40001);
    close_socket(PARENT, 3, 0, 200);
    analyse();
    assert_ends(0, END_CLOSED, 205);
    assert_ends(1, END_NOT_SEEN, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_duplicate_keeps_it),
        TEST(a_forked_child_keeps_it_from_the_fork_on),
        TEST(a_child_that_closed_before_fork_returned_keeps_nothing),
        TEST(a_child_without_a_fork_record_has_what_its_parent_had),
        TEST(exit_of_the_last_holder_ends_it),
        TEST(a_vfork_child_changes_nothing_of_its_parent),
        TEST(what_a_new_program_does_not_inherit_was_closed_at_the_exec),
        TEST(what_a_new_program_inherits_goes_on),
        TEST(another_process_with_the_pid_again_is_no_exec),
        TEST(a_descriptor_in_flight_keeps_it),
        TEST(a_descriptor_that_arrived_ends_with_its_receiver),
        TEST(an_inferred_release_is_reported_as_such),
        TEST(a_number_that_is_another_socket_was_released),
        TEST(a_close_that_returned_late_ends_the_socket_that_it_closed),
        TEST(sockets_without_cookies_are_told_apart_by_their_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
