/* When a binding ends and how that is known: the two columns of the semantics table. */
#include <errno.h>

#include "tests/unit/bindings_fixture.h"

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

/* Of many threads on a busy machine each may have closed its number, and another has it already,
 * while the record of the close is still to come. */
static void a_number_goes_on_to_hundreds_before_the_first_close_is_recorded(void **state) {
    enum { MANY = 100 };
    (void)state;
    process_record(PW_KIND_PROCESS_START, PARENT, PARENT, 0, 500, 10);
    for (uint64_t i = 0; i < MANY; i++)
        bind_socket(SOCK_STREAM, PARENT, 3, 1000 + i, 100 + 10 * i, 0, (uint16_t)(40000 + i));
    for (uint64_t i = 0; i < MANY; i++)
        close_socket(PARENT, 3, 1000 + i, 10000 + 10 * i);
    analyse();
    assert_int_equal(bindings.count, MANY);
    for (uint32_t i = 0; i < MANY; i++)
        assert_ends(i, END_CLOSED, 10005 + 10 * i);
}

static void without_any_release_no_end_is_seen(void **state) {
    (void)state;
    make_listener(0);
    analyse();
    assert_ends(0, END_NOT_SEEN, 0);
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

static void a_close_that_was_seen_goes_before_a_notice(void **state) {
    (void)state;
    make_listener(0);
    close_socket(PARENT, 3, 30, 200);
    on_socket(PW_KIND_DESTROYED, SOCK_STREAM, 0, -1, 30, 300)[0].start.source = PW_SOURCE_KERNEL;
    analyse();
    assert_ends(0, END_CLOSED, 205);
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

static void a_connect_that_was_refused_had_a_port_while_it_lasted(void **state) {
    union pw_unit *units;
    (void)state;
    process_record(PW_KIND_PROCESS_START, PARENT, PARENT, 0, 500, 10);
    on_socket(PW_KIND_SOCKET, SOCK_STREAM, PARENT, 3, 30, 100);
    units = on_socket(PW_KIND_CONNECT, SOCK_STREAM, PARENT, 3, 30, 120);
    units[0].start.error = ECONNREFUSED;
    units[0].start.flags |= PW_FLAG_PORT_ZERO | PW_FLAG_HAS_ASSIGNED;
    units[1].socket.assigned_port = 40000;
    analyse();
    assert_int_equal(bindings.count, 1);
    assert_int_equal(bindings.list[0].error, 0);
    assert_int_equal(bindings.list[0].port, 40000);
    assert_int_equal(bindings.list[0].from_ns, 120);
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

static void accept_one(uint64_t at, uint64_t flags) {
    union pw_unit *units = on_socket(PW_KIND_ACCEPT, SOCK_STREAM, PARENT, 5, 50, at);

    units[0].start.flags |= flags;
    units[2].peer.other_descriptor = 3;
    units[2].peer.other_cookie = 30;
}

static void a_listener_lasts_as_long_as_what_it_accepted(void **state) {
    (void)state;
    make_listener(0);
    accept_one(150, PW_FLAG_REUSEADDR);
    close_socket(PARENT, 3, 30, 200);
    close_socket(PARENT, 5, 50, 300);
    analyse();
    assert_ends(0, END_CLOSED, 305);
}

static void a_connection_may_leave_a_time_wait_to_its_listener(void **state) {
    (void)state;
    make_listener(0);
    accept_one(150, 0);
    close_socket(PARENT, 3, 30, 200);
    close_socket(PARENT, 5, 50, 300);
    analyse();
    assert_ends(0, END_NOT_SEEN, 0);
}

static void a_listener_whose_connection_is_open_has_not_ended(void **state) {
    (void)state;
    make_listener(0);
    accept_one(150, PW_FLAG_REUSEADDR);
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

static void a_torn_record_makes_its_socket_possible_and_no_other(void **state) {
    (void)state;
    make_listener(0);
    on_socket(PW_KIND_SOCKET, SOCK_STREAM, PARENT, 4, 40, 130);
    bind_socket(SOCK_STREAM, PARENT, 4, 40, 140, 0, 40001);
    writer_tear(writer_add(&writer, PW_KIND_CLOSE, 1, PARENT, 4, 0, 150, 0));
    analyse();
    assert_int_equal(bindings.list[0].certainty, CERTAIN);
    assert_int_equal(bindings.list[1].certainty, POSSIBLE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_close_ends_it),
        TEST(a_number_goes_on_to_hundreds_before_the_first_close_is_recorded),
        TEST(without_any_release_no_end_is_seen),
        TEST(a_notice_of_the_kernel_ends_what_nobody_was_seen_to_close),
        TEST(a_close_that_was_seen_goes_before_a_notice),
        TEST(closing_a_client_proves_nothing),
        TEST(closing_a_client_that_is_connecting_proves_nothing),
        TEST(a_client_without_linger_ends_with_its_close),
        TEST(a_client_ends_with_a_notice_unless_time_wait_stands),
        TEST(time_wait_that_stands_is_no_end),
        TEST(a_refused_connect_takes_an_assigned_port_away),
        TEST(a_connect_that_was_refused_had_a_port_while_it_lasted),
        TEST(a_refused_connect_leaves_a_port_asked_for_by_number),
        TEST(shutdown_takes_an_assigned_port_from_a_listener),
        TEST(shutdown_for_writing_takes_nothing),
        TEST(shutdown_leaves_a_port_asked_for_by_number),
        TEST(disconnect_takes_an_assigned_port_away),
        TEST(a_listener_lasts_as_long_as_what_it_accepted),
        TEST(a_connection_may_leave_a_time_wait_to_its_listener),
        TEST(a_listener_whose_connection_is_open_has_not_ended),
        TEST(a_send_that_binds_is_a_request),
        TEST(a_send_that_fails_has_bound_all_the_same),
        TEST(a_connect_on_a_bound_socket_is_no_request),
        TEST(a_bind_that_fails_is_a_failed_request),
        TEST(a_torn_record_makes_its_socket_possible_and_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
