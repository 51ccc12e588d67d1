/* Who has a socket when somebody is refused its port, beside who bound it. */
#include "harness/check/holding.h"
#include "tests/unit/history_fixture.h"

enum { SERVER = 1, HELPER = 2, OTHER = 3, LISTENER = 30, CONNECTION = 40, REFUSED = 50 };

static void make_server(void) {
    starts(0, SERVER, 10);
    binds(SERVER, LISTENER, 100);
    on_socket(PW_KIND_LISTEN, SOCK_STREAM, SERVER, LISTENER, LISTENER, 120);
}

static struct holding_found found_at(uint64_t ns, uint64_t asker) {
    starts(0, OTHER, 800);
    is_refused(OTHER, REFUSED, 900);
    read_history();
    return holding_find(history, of_socket(LISTENER), ns, asker);
}

static void who_bound_it_has_it_as_a_rule(void **state) {
    (void)state;
    make_server();
    struct holding_found found = found_at(900, OTHER);
    assert_int_equal(found.how, HOW_BOUND);
    assert_int_equal(found.process, 0);
}

static void who_bound_it_comes_before_a_child_that_has_it_too(void **state) {
    (void)state;
    make_server();
    forks(SERVER, HELPER, 200);
    process_record(PW_KIND_PROCESS_EXIT, HELPER, HELPER, 0, 502, 950);
    process_record(PW_KIND_PROCESS_EXIT, SERVER, SERVER, 0, 501, 960);
    struct holding_found found = found_at(900, OTHER);
    assert_int_equal(found.how, HOW_BOUND);
    assert_int_equal(found.process, 0);
}

static void a_child_has_inherited_it_once_the_server_closed_it(void **state) {
    (void)state;
    make_server();
    forks(SERVER, HELPER, 200);
    releases(SERVER, LISTENER, 300);
    struct holding_found found = found_at(900, OTHER);
    assert_int_equal(found.how, HOW_INHERITED);
    assert_int_equal(found.process, HELPER);
    assert_int_equal(found.since_ns, 205);
    assert_int_equal(holding_find(history, of_socket(LISTENER), 250, OTHER).how, HOW_BOUND);
}

static void a_child_that_ended_does_not_have_it(void **state) {
    (void)state;
    make_server();
    forks(SERVER, HELPER, 200);
    releases(SERVER, LISTENER, 300);
    process_record(PW_KIND_PROCESS_EXIT, HELPER, HELPER, 0, 502, 400)[0].start.source =
        PW_SOURCE_RUN;
    assert_int_equal(found_at(350, OTHER).process, HELPER);
    assert_int_equal(holding_find(history, of_socket(LISTENER), 900, OTHER).process, 0);
}

static void who_asks_comes_first_among_those_that_inherited_it(void **state) {
    (void)state;
    make_server();
    forks(SERVER, HELPER, 200);
    forks(SERVER, OTHER, 220);
    releases(SERVER, LISTENER, 300);
    is_refused(OTHER, REFUSED, 900);
    read_history();
    assert_int_equal(holding_find(history, of_socket(LISTENER), 900, OTHER).process, OTHER);
    assert_int_equal(holding_find(history, of_socket(LISTENER), 900, SERVER).process, HELPER);
}

static void a_socket_that_was_sent_is_passed(void **state) {
    (void)state;
    make_server();
    starts(0, HELPER, 150);
    on_socket(PW_KIND_DESCRIPTOR, SOCK_STREAM, HELPER, 7, LISTENER, 200)[0].start.flags =
        PW_FLAG_RECEIVED;
    releases(SERVER, LISTENER, 300);
    struct holding_found found = found_at(900, OTHER);
    assert_int_equal(found.how, HOW_PASSED);
    assert_int_equal(found.process, HELPER);
}

static void a_connection_keeps_the_port_of_a_listener_that_is_gone(void **state) {
    (void)state;
    make_server();
    union pw_unit *units =
        on_socket(PW_KIND_ACCEPT, SOCK_STREAM, SERVER, CONNECTION, CONNECTION, 200);
    units[0].start.flags = PW_FLAG_HAS_ASSIGNED;
    units[1].socket.assigned_port = PORT;
    units[2].peer.other_cookie = LISTENER;
    units[2].peer.other_descriptor = LISTENER;
    forks(SERVER, HELPER, 250);
    releases(SERVER, CONNECTION, 300);
    releases(HELPER, LISTENER, 310);
    releases(SERVER, LISTENER, 400);
    struct holding_found found = found_at(900, OTHER);
    assert_int_equal(found.how, HOW_ACCEPTED);
    assert_int_equal(found.process, HELPER);
    assert_false(holding_is_accepted(history, of_socket(LISTENER), 350, &found));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HISTORY_TEST(who_bound_it_has_it_as_a_rule),
        HISTORY_TEST(who_bound_it_comes_before_a_child_that_has_it_too),
        HISTORY_TEST(a_child_has_inherited_it_once_the_server_closed_it),
        HISTORY_TEST(a_child_that_ended_does_not_have_it),
        HISTORY_TEST(who_asks_comes_first_among_those_that_inherited_it),
        HISTORY_TEST(a_socket_that_was_sent_is_passed),
        HISTORY_TEST(a_connection_keeps_the_port_of_a_listener_that_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
