/* When a binding ends and how that is known: the two columns of the semantics table, and the ways
 * in which descriptors travel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "harness/trace/bindings.h"
#include "tests/unit/trace_writer.h"

enum { PARENT = 1, CHILD = 2, IMAGE = 3 };

static struct trace_writer writer;
static struct bindings bindings;

static int begin(void **state) {
    (void)state;
    writer_begin(&writer);
    bindings = (struct bindings){0};
    return 0;
}

static int end(void **state) {
    (void)state;
    bindings_free(&bindings);
    return unlink(writer.path);
}

static void analyse(void) {
    struct trace_reader_problem problem;
    struct trace_reader *reader;
    struct trace_record record;

    writer_store(&writer);
    reader = trace_reader_open(writer.path, &problem);
    assert_non_null(reader);
    while (trace_reader_next(reader, &record) == TRACE_NEXT_RECORD)
        bindings_note(&bindings, &record);
    trace_reader_close(reader);
    bindings_finish(&bindings);
}

static void assert_ends(size_t index, enum end_known_by how, uint64_t ns) {
    assert_true(index < bindings.count);
    assert_int_equal(bindings.list[index].end_known_by, how);
    assert_int_equal(bindings.list[index].to_ns, ns);
}

/* A record about a socket, with a peer where it has one. */
static union pw_unit *on_socket(enum pw_kind kind, int type, uint64_t process, int fd,
                                uint64_t cookie, uint64_t at) {
    bool peer = kind == PW_KIND_CONNECT || kind == PW_KIND_AUTOBIND || kind == PW_KIND_ACCEPT ||
                kind == PW_KIND_DESCRIPTOR || kind == PW_KIND_DESTROYED;
    union pw_unit *units = writer_add(&writer, kind, peer ? 3 : 2, process, fd, cookie, at, at + 5);

    units[1].socket.family = AF_INET;
    units[1].socket.type = (uint8_t)type;
    units[1].socket.netns = 4026;
    if (peer)
        units[2].peer.other_descriptor = -1;
    return units;
}

static union pw_unit *bind_socket(int type, uint64_t process, int fd, uint64_t cookie, uint64_t at,
                                  uint16_t requested, uint16_t assigned) {
    union pw_unit *units = on_socket(PW_KIND_BIND, type, process, fd, cookie, at);

    units[0].start.flags = PW_FLAG_HAS_REQUESTED | PW_FLAG_HAS_ASSIGNED |
                           (requested == 0 ? PW_FLAG_PORT_ZERO : PW_FLAG_BY_NUMBER);
    units[1].socket.requested_port = requested;
    units[1].socket.assigned_port = assigned;
    return units;
}

static void close_socket(uint64_t process, int fd, uint64_t cookie, uint64_t at) {
    writer_add(&writer, PW_KIND_CLOSE, 1, process, fd, cookie, at, at + 5);
}

static union pw_unit *process_record(enum pw_kind kind, uint64_t process, uint64_t serial,
                                     uint64_t parent, uint32_t pid, uint64_t at) {
    union pw_unit *units = writer_add(&writer, kind, 2, process, -1, 0, at, at + 5);

    units[1].process.serial = serial;
    units[1].process.parent = parent;
    units[1].process.pid = pid;
    units[1].process.start_time = 1000 + pid;
    return units;
}

/* A listener of the parent on port 40000, as descriptor 3 and with cookie 30, made from 100 to 125.
 */
static void make_listener(uint16_t requested) {
    process_record(PW_KIND_PROCESS_START, PARENT, PARENT, 0, 500, 10);
    on_socket(PW_KIND_SOCKET, SOCK_STREAM, PARENT, 3, 30, 100);
    bind_socket(SOCK_STREAM, PARENT, 3, 30, 110, requested, 40000);
    on_socket(PW_KIND_LISTEN, SOCK_STREAM, PARENT, 3, 30, 120);
}

static void a_close_ends_it(void **state) {
    (void)state;
    make_listener(0);
    close_socket(PARENT, 3, 30, 200);
    analyse();
    assert_int_equal(bindings.count, 1);
    assert_int_equal(bindings.list[0].port, 40000);
    assert_int_equal(bindings.list[0].requested_port, 0);
    assert_int_equal(bindings.list[0].from_ns, 115);
    assert_int_equal(bindings.list[0].netns, 4026);
    assert_ends(0, END_CLOSED, 205);
}

static void without_any_release_no_end_is_seen(void **state) {
    (void)state;
    make_listener(0);
    analyse();
    assert_ends(0, END_NOT_SEEN, 0);
}

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

static void a_notice_of_the_kernel_ends_what_nobody_was_seen_to_close(void **state) {
    (void)state;
    make_listener(0);
    writer_add(&writer, PW_KIND_PASSED, 1, PARENT, 3, 30, 150, 155);
    close_socket(PARENT, 3, 30, 200);
    on_socket(PW_KIND_DESTROYED, SOCK_STREAM, 0, -1, 30, 300)[0].start.source = PW_SOURCE_KERNEL;
    analyse();
    assert_ends(0, END_DESTROYED, 305);
}

static void a_close_that_was_seen_is_told_before_a_notice(void **state) {
    (void)state;
    make_listener(0);
    close_socket(PARENT, 3, 30, 200);
    on_socket(PW_KIND_DESTROYED, SOCK_STREAM, 0, -1, 30, 300)[0].start.source = PW_SOURCE_KERNEL;
    analyse();
    assert_ends(0, END_CLOSED, 205);
}

static void an_inferred_release_is_told_as_such(void **state) {
    (void)state;
    make_listener(0);
    close_socket(PARENT, 3, 30, 200);
    writer.units[writer.used - 1].start.flags = PW_FLAG_RELEASE_INFERRED;
    analyse();
    assert_ends(0, END_INFERRED, 205);
}

static void a_number_that_is_another_socket_was_let_go(void **state) {
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

static void client(int error, uint64_t flags, uint16_t requested) {
    union pw_unit *units;

    process_record(PW_KIND_PROCESS_START, PARENT, PARENT, 0, 500, 10);
    on_socket(PW_KIND_SOCKET, SOCK_STREAM, PARENT, 3, 30, 100);
    bind_socket(SOCK_STREAM, PARENT, 3, 30, 110, requested, 40000);
    units = on_socket(PW_KIND_CONNECT, SOCK_STREAM, PARENT, 3, 30, 120);
    units[0].start.error = (uint16_t)error;
    close_socket(PARENT, 3, 30, 200);
    writer.units[writer.used - 1].start.flags = flags;
}

static void closing_a_client_proves_nothing(void **state) {
    (void)state;
    client(0, 0, 0);
    analyse();
    assert_ends(0, END_NOT_SEEN, 0);
}

static void closing_a_client_that_is_connecting_proves_nothing(void **state) {
    (void)state;
    client(EINPROGRESS, 0, 0);
    analyse();
    assert_ends(0, END_NOT_SEEN, 0);
}

static void a_client_without_linger_ends_with_its_close(void **state) {
    (void)state;
    client(0, PW_FLAG_LINGER_ZERO, 0);
    analyse();
    assert_ends(0, END_CLOSED, 205);
}

static void a_client_ends_with_a_notice_unless_time_wait_stands(void **state) {
    uint64_t flags = *state != NULL ? PW_FLAG_TIME_WAIT : 0;

    client(0, 0, 0);
    on_socket(PW_KIND_DESTROYED, SOCK_STREAM, 0, -1, 30, 300)[0].start.flags = flags;
    analyse();
    if (flags != 0)
        assert_ends(0, END_NOT_SEEN, 0);
    else
        assert_ends(0, END_DESTROYED, 305);
}

static void time_wait_that_stands_is_no_end(void **state) {
    void *time_wait = &writer;

    (void)state;
    a_client_ends_with_a_notice_unless_time_wait_stands(&time_wait);
}

static void a_refused_connect_takes_an_assigned_port_away(void **state) {
    (void)state;
    client(ECONNREFUSED, 0, 0);
    analyse();
    assert_ends(0, END_CONNECT_FAILED, 125);
}

static void a_refused_connect_leaves_a_port_asked_for_by_number(void **state) {
    (void)state;
    client(ECONNREFUSED, 0, 40000);
    analyse();
    assert_ends(0, END_CLOSED, 205);
}

static void shutdown_of(uint16_t requested, uint64_t how) {
    make_listener(requested);
    writer_add(&writer, PW_KIND_SHUTDOWN, 2, PARENT, 3, 30, 150, 155)[1].numbers.number[0] = how;
    close_socket(PARENT, 3, 30, 200);
    analyse();
}

static void shutdown_takes_an_assigned_port_from_a_listener(void **state) {
    (void)state;
    shutdown_of(0, SHUT_RDWR);
    assert_ends(0, END_SHUTDOWN, 155);
}

static void shutdown_for_writing_takes_nothing(void **state) {
    (void)state;
    shutdown_of(0, SHUT_WR);
    assert_ends(0, END_CLOSED, 205);
}

static void shutdown_leaves_a_port_asked_for_by_number(void **state) {
    (void)state;
    shutdown_of(40000, SHUT_RDWR);
    assert_ends(0, END_CLOSED, 205);
}

static void disconnect_takes_an_assigned_port_away(void **state) {
    (void)state;
    client(0, 0, 0);
    on_socket(PW_KIND_DISCONNECT, SOCK_STREAM, PARENT, 3, 30, 150);
    analyse();
    assert_ends(0, END_DISCONNECT, 155);
}

static void accept_one(uint64_t at) {
    union pw_unit *units = on_socket(PW_KIND_ACCEPT, SOCK_STREAM, PARENT, 5, 50, at);

    units[2].peer.other_descriptor = 3;
    units[2].peer.other_cookie = 30;
}

static void a_listener_lasts_as_long_as_what_it_accepted(void **state) {
    (void)state;
    make_listener(0);
    accept_one(150);
    close_socket(PARENT, 3, 30, 200);
    close_socket(PARENT, 5, 50, 300);
    analyse();
    assert_ends(0, END_CLOSED, 305);
}

static void a_listener_whose_connection_is_open_has_not_ended(void **state) {
    (void)state;
    make_listener(0);
    accept_one(150);
    close_socket(PARENT, 3, 30, 200);
    analyse();
    assert_ends(0, END_NOT_SEEN, 0);
}

static void datagram_send(int error) {
    union pw_unit *units = on_socket(PW_KIND_AUTOBIND, SOCK_DGRAM, PARENT, 4, 40, 100);

    units[0].start.flags = PW_FLAG_PORT_ZERO | PW_FLAG_HAS_ASSIGNED;
    units[0].start.error = (uint16_t)error;
    units[1].socket.assigned_port = 50000;
    analyse();
    assert_int_equal(bindings.count, 1);
    assert_int_equal(bindings.list[0].port, 50000);
    assert_int_equal(bindings.list[0].requested_port, 0);
    assert_int_equal(bindings.list[0].from_ns, 105);
}

static void a_send_that_binds_is_a_request(void **state) {
    (void)state;
    datagram_send(0);
}

static void a_send_that_fails_has_bound_all_the_same(void **state) {
    (void)state;
    datagram_send(ENETUNREACH);
}

static void a_connect_on_a_bound_socket_is_no_request(void **state) {
    (void)state;
    client(0, 0, 0);
    analyse();
    assert_int_equal(bindings.count, 1);
}

static void a_bind_that_fails_is_a_failed_request(void **state) {
    union pw_unit *units;

    (void)state;
    units = bind_socket(SOCK_STREAM, PARENT, 3, 30, 110, 8080, 0);
    units[0].start.flags = PW_FLAG_HAS_REQUESTED;
    units[0].start.error = EADDRINUSE;
    analyse();
    assert_int_equal(bindings.list[0].from_ns, 0);
    assert_int_equal(bindings.list[0].requested_port, 8080);
    assert_int_equal(bindings.list[0].error, EADDRINUSE);
    assert_int_equal(bindings.list[0].port, 0);
}

static void a_torn_record_makes_its_socket_uncertain_and_no_other(void **state) {
    (void)state;
    make_listener(0);
    on_socket(PW_KIND_SOCKET, SOCK_STREAM, PARENT, 4, 40, 130);
    bind_socket(SOCK_STREAM, PARENT, 4, 40, 140, 0, 40001);
    writer_tear(writer_add(&writer, PW_KIND_CLOSE, 1, PARENT, 4, 0, 150, 0));
    analyse();
    assert_false(bindings.list[0].uncertain);
    assert_true(bindings.list[1].uncertain);
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
#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_close_ends_it),
        TEST(without_any_release_no_end_is_seen),
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
        TEST(a_notice_of_the_kernel_ends_what_nobody_was_seen_to_close),
        TEST(a_close_that_was_seen_is_told_before_a_notice),
        TEST(an_inferred_release_is_told_as_such),
        TEST(a_number_that_is_another_socket_was_let_go),
        TEST(a_close_that_returned_late_ends_the_socket_that_it_closed),
        TEST(closing_a_client_proves_nothing),
        TEST(closing_a_client_that_is_connecting_proves_nothing),
        TEST(a_client_without_linger_ends_with_its_close),
        TEST(a_client_ends_with_a_notice_unless_time_wait_stands),
        TEST(time_wait_that_stands_is_no_end),
        TEST(a_refused_connect_takes_an_assigned_port_away),
        TEST(a_refused_connect_leaves_a_port_asked_for_by_number),
        TEST(shutdown_takes_an_assigned_port_from_a_listener),
        TEST(shutdown_for_writing_takes_nothing),
        TEST(shutdown_leaves_a_port_asked_for_by_number),
        TEST(disconnect_takes_an_assigned_port_away),
        TEST(a_listener_lasts_as_long_as_what_it_accepted),
        TEST(a_listener_whose_connection_is_open_has_not_ended),
        TEST(a_send_that_binds_is_a_request),
        TEST(a_send_that_fails_has_bound_all_the_same),
        TEST(a_connect_on_a_bound_socket_is_no_request),
        TEST(a_bind_that_fails_is_a_failed_request),
        TEST(a_torn_record_makes_its_socket_uncertain_and_no_other),
        TEST(sockets_without_cookies_are_told_apart_by_their_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
