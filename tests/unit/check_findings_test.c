/* Findings that real programs do not give: what the kernel never does, what only announcements
 * show, and traces that nobody could have written. */
#include <errno.h>

#include "harness/check/check.h"
#include "tests/unit/bindings_fixture.h"

static struct check check;

static void run_check(void) {
    const char *const paths[] = {writer.path};
    writer_store(&writer);
    assert_true(check_run(&check, paths, 1, NULL, NULL));
}

static int begin_check(void **state) {
    check = (struct check){0};
    return begin(state);
}

static int end_check(void **state) {
    check_free(&check);
    return end(state);
}

static unsigned count(enum finding_kind kind) {
    unsigned found = 0;
    for (size_t i = 0; i < check.findings.count; i++)
        found += check.findings.list[i].kind == kind;
    return found;
}

static const struct finding *first(enum finding_kind kind) {
    for (size_t i = 0; i < check.findings.count; i++)
        if (check.findings.list[i].kind == kind)
            return &check.findings.list[i];
    return NULL;
}

static void begin_processes(void) {
    process_record(PW_KIND_PROCESS_START, PARENT, PARENT, 0, 500, 10);
    process_record(PW_KIND_PROCESS_START, CHILD, CHILD, 0, 501, 20);
}

static union pw_unit *accept_from(uint64_t process, uint64_t listener, uint64_t cookie,
                                  uint64_t at) {
    union pw_unit *units = on_socket(PW_KIND_ACCEPT, SOCK_STREAM, process, 9, cookie, at);
    units[0].start.flags = PW_FLAG_HAS_ASSIGNED;
    units[1].socket.assigned_port = 40000;
    units[2].peer.other_cookie = listener;
    return units;
}

static void a_port_given_while_its_listener_lives_is_a_disagreement(void **state) {
    (void)state;
    make_listener(40000);
    process_record(PW_KIND_PROCESS_START, CHILD, CHILD, 0, 501, 130);
    bind_socket(SOCK_STREAM, CHILD, 4, 31, 200, 0, 40000);
    accept_from(PARENT, 30, 32, 300);
    run_check();
    assert_int_equal(count(FINDING_MODEL_DISAGREEMENT), 1);
    assert_int_equal(first(FINDING_MODEL_DISAGREEMENT)->subject.process, CHILD);
    assert_int_equal(check_verdict(&check), VERDICT_FINDINGS);
}

static void without_proof_of_life_it_is_a_gap_in_the_evidence(void **state) {
    (void)state;
    make_listener(40000);
    accept_from(PARENT, 30, 32, 150);
    process_record(PW_KIND_PROCESS_START, CHILD, CHILD, 0, 501, 160);
    bind_socket(SOCK_STREAM, CHILD, 4, 31, 200, 0, 40000);
    run_check();
    assert_int_equal(count(FINDING_MODEL_DISAGREEMENT), 0);
}

static void other_addresses_and_namespaces_do_not_disagree(void **state) {
    (void)state;
    make_listener(40000);
    process_record(PW_KIND_PROCESS_START, CHILD, CHILD, 0, 501, 130);
    bind_socket(SOCK_STREAM, CHILD, 4, 31, 200, 0, 40000)[1].socket.netns = 4027;
    bind_socket(SOCK_DGRAM, CHILD, 5, 33, 220, 0, 40000);
    accept_from(PARENT, 30, 32, 300);
    run_check();
    assert_int_equal(count(FINDING_MODEL_DISAGREEMENT), 0);
}

static union pw_unit *announce(uint64_t process, uint64_t cookie, uint64_t at, unsigned port) {
    union pw_unit *units = on_socket(PW_KIND_CLAIM, SOCK_STREAM, process, 3, cookie, at);
    units[1].socket.assigned_port = (uint16_t)port;
    return units;
}

static void an_endpoint_that_another_holds_is_a_collision(void **state) {
    (void)state;
    begin_processes();
    bind_socket(SOCK_STREAM, PARENT, 3, 30, 100, 0, 40000);
    announce(PARENT, 30, 110, 40000);
    bind_socket(SOCK_STREAM, CHILD, 3, 31, 120, 0, 40001);
    announce(CHILD, 31, 130, 40000);
    close_socket(PARENT, 3, 30, 200);
    close_socket(CHILD, 3, 31, 210);
    run_check();
    assert_int_equal(count(FINDING_COLLISION), 1);
    assert_int_equal(first(FINDING_COLLISION)->subject.process, CHILD);
    assert_int_equal(first(FINDING_COLLISION)->other.process, PARENT);
}

static void one_that_is_released_and_assigned_again_is_none(void **state) {
    (void)state;
    begin_processes();
    bind_socket(SOCK_STREAM, PARENT, 3, 30, 100, 0, 40000);
    announce(PARENT, 30, 110, 40000);
    close_socket(PARENT, 3, 30, 120);
    bind_socket(SOCK_STREAM, CHILD, 3, 31, 130, 0, 40000);
    announce(CHILD, 31, 140, 40000);
    run_check();
    assert_int_equal(count(FINDING_COLLISION), 0);
    assert_int_equal(check_verdict(&check), VERDICT_CLEAN);
}

static void a_claim_of_a_number_that_nobody_read_is_none(void **state) {
    (void)state;
    begin_processes();
    bind_socket(SOCK_STREAM, PARENT, 3, 30, 100, 0, 40000);
    close_socket(PARENT, 3, 30, 110);
    bind_socket(SOCK_STREAM, PARENT, 3, 31, 120, 40000, 40000);
    run_check();
    assert_int_equal(check.findings.count, 0);
}

static void a_torn_close_makes_the_window_possible(void **state) {
    (void)state;
    begin_processes();
    bind_socket(SOCK_STREAM, PARENT, 3, 30, 100, 0, 40000)[0].start.flags |= PW_FLAG_ADDRESS_READ;
    writer_tear(writer_add(&writer, PW_KIND_CLOSE, 1, PARENT, 3, 30, 110, 115));
    bind_socket(SOCK_STREAM, PARENT, 3, 31, 120, 40000, 40000);
    run_check();
    assert_int_equal(count(FINDING_RACE_WINDOW), 1);
    assert_int_equal(first(FINDING_RACE_WINDOW)->certainty, POSSIBLE);
    assert_int_equal(count(FINDING_TORN), 1);
}

static void records_lost_by_a_process_make_all_possible(void **state) {
    (void)state;
    begin_processes();
    bind_socket(SOCK_STREAM, PARENT, 3, 30, 100, 0, 40000)[0].start.flags |= PW_FLAG_ADDRESS_READ;
    close_socket(PARENT, 3, 30, 110);
    bind_socket(SOCK_STREAM, PARENT, 3, 31, 120, 40000, 40000);
    atomic_store(&writer.header.lost[PW_LOST_NOT_POPULATED], 2);
    run_check();
    assert_int_equal(count(FINDING_RACE_WINDOW), 1);
    assert_int_equal(first(FINDING_RACE_WINDOW)->certainty, POSSIBLE);
    assert_int_equal(first(FINDING_LOST_RECORDS)->times, 2);
}

static void a_release_that_was_inferred_is_reported(void **state) {
    (void)state;
    begin_processes();
    bind_socket(SOCK_STREAM, PARENT, 3, 30, 100, 0, 40000);
    writer_add(&writer, PW_KIND_CLOSE, 1, PARENT, 3, 30, 110, 115)->start.flags =
        PW_FLAG_RELEASE_INFERRED;
    run_check();
    assert_int_equal(count(FINDING_INFERRED_RELEASE), 1);
    assert_int_equal(check_verdict(&check), VERDICT_INCOMPLETE);
}

static void clocks_that_go_backwards_and_serials_given_twice_are_counted(void **state) {
    (void)state;
    begin_processes();
    process_record(PW_KIND_PROCESS_START, CHILD, CHILD, 0, 777, 30);
    writer_add(&writer, PW_KIND_CLOSE, 1, PARENT, 3, 30, 500, 400);
    run_check();
    assert_int_equal(count(FINDING_TORN), 2);
    assert_int_equal(check.traces[0].twice, 1);
    assert_int_equal(check.traces[0].backwards, 1);
    assert_true(check_is_incomplete(&check));
}

static void parents_that_form_a_ring_end(void **state) {
    (void)state;
    process_record(PW_KIND_PROCESS_START, PARENT, PARENT, CHILD, 500, 10);
    process_record(PW_KIND_PROCESS_START, CHILD, CHILD, PARENT, 501, 20);
    bind_socket(SOCK_STREAM, PARENT, 3, 30, 100, 0, 40000)[0].start.flags |= PW_FLAG_ADDRESS_READ;
    close_socket(PARENT, 3, 30, 110);
    bind_socket(SOCK_STREAM, 99, 3, 31, 120, 40000, 0)[0].start.error = EADDRINUSE;
    run_check();
    assert_int_equal(count(FINDING_ADDRESS_IN_USE), 1);
}

static void a_retry_in_vain_counts_with_the_first(void **state) {
    (void)state;
    begin_processes();
    bind_socket(SOCK_STREAM, CHILD, 3, 30, 100, 40000, 40000);
    for (unsigned i = 0; i < 5; i++) {
        union pw_unit *units = bind_socket(SOCK_STREAM, PARENT, 4, 31 + i, 110 + 10 * i, 40000, 0);
        units[0].start.error = EADDRINUSE;
        units[0].start.flags = PW_FLAG_HAS_REQUESTED | PW_FLAG_BY_NUMBER;
    }
    run_check();
    assert_int_equal(check.findings.count, 1);
    assert_int_equal(check.findings.list[0].times, 5);
    assert_int_equal(check.findings.list[0].other.process, CHILD);
}

#define CHECK_TEST(function) cmocka_unit_test_setup_teardown(function, begin_check, end_check)

int main(void) {
    const struct CMUnitTest tests[] = {
        CHECK_TEST(a_port_given_while_its_listener_lives_is_a_disagreement),
        CHECK_TEST(without_proof_of_life_it_is_a_gap_in_the_evidence),
        CHECK_TEST(other_addresses_and_namespaces_do_not_disagree),
        CHECK_TEST(an_endpoint_that_another_holds_is_a_collision),
        CHECK_TEST(one_that_is_released_and_assigned_again_is_none),
        CHECK_TEST(a_claim_of_a_number_that_nobody_read_is_none),
        CHECK_TEST(a_torn_close_makes_the_window_possible),
        CHECK_TEST(records_lost_by_a_process_make_all_possible),
        CHECK_TEST(a_release_that_was_inferred_is_reported),
        CHECK_TEST(clocks_that_go_backwards_and_serials_given_twice_are_counted),
        CHECK_TEST(parents_that_form_a_ring_end),
        CHECK_TEST(a_retry_in_vain_counts_with_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
