/* How far the evidence goes that a bind by number proves a claim: was the port released, and what
 * is not known? And which refusals are repeats. */
#include "tests/unit/proofs_fixture.h"

/* Was the port free? */

static void a_release_before_the_bind_is_certain(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100);
    releases(PARENT, GIVEN, 200);
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_int_equal(held_released(history, of_socket(GIVEN), 300), RELEASE_CERTAIN);
    assert_int_equal(held_released(history, of_socket(GIVEN), 205), RELEASE_CERTAIN);
    assert_int_equal(held_released(history, of_socket(GIVEN), 204), RELEASE_POSSIBLE);
    assert_int_equal(held_released(history, of_socket(GIVEN), 199), RELEASE_NOT_SEEN);
}

static void without_a_close_no_release_is_seen(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100);
    binds(CHILD, TAKEN, 300);
    read_history();
    assert_int_equal(held_released(history, of_socket(GIVEN), 300), RELEASE_NOT_SEEN);
}

static void a_release_that_was_inferred_is_possible(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100);
    releases(PARENT, GIVEN, 110);
    writer.units[writer.used - 1].start.flags = PW_FLAG_RELEASE_INFERRED;
    binds(CHILD, TAKEN, 300);
    read_history();
    assert_int_equal(held_released(history, of_socket(GIVEN), 300), RELEASE_POSSIBLE);
    assert_proves(TAKEN, GIVEN, TIER_RELATED, CERTAIN);
    assert_int_equal(release_of(TAKEN), POSSIBLE);
}

static void a_release_by_exit_is_possible(void **state) {
    (void)state;
    starts(0, PARENT, 10);
    is_assigned(PARENT, GIVEN, 100);
    starts(PARENT, CHILD, 110);
    process_record(PW_KIND_PROCESS_EXIT, PARENT, PARENT, 0, 501, 120)->start.source = PW_SOURCE_RUN;
    binds(CHILD, TAKEN, 300);
    read_history();
    assert_int_equal(held_released(history, of_socket(GIVEN), 300), RELEASE_POSSIBLE);
    assert_int_equal(release_of(TAKEN), POSSIBLE);
}

static void a_torn_record_makes_release_and_proof_possible(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100);
    writer_tear(writer_add(&writer, PW_KIND_CLOSE, 1, PARENT, GIVEN, GIVEN, 110, 115));
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_int_equal(held_released(history, of_socket(GIVEN), 300), RELEASE_POSSIBLE);
    assert_proves(TAKEN, GIVEN, TIER_OWN, POSSIBLE);
}

static void a_torn_record_before_the_close_leaves_the_release_possible(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100);
    writer_tear(writer_add(&writer, PW_KIND_CLOSE, 1, PARENT, GIVEN, GIVEN, 110, 115));
    releases(PARENT, GIVEN, 120);
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_int_equal(held_released(history, of_socket(GIVEN), 300), RELEASE_POSSIBLE);
}

static void a_torn_record_of_the_taker_makes_the_proof_possible(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    binds(PARENT, TAKEN, 300);
    writer_tear(writer_add(&writer, PW_KIND_CLOSE, 1, PARENT, TAKEN, TAKEN, 310, 315));
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, POSSIBLE);
}

static void a_refused_bind_met_the_socket_that_is_still_there(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100);
    is_refused(PARENT, TAKEN, 300);
    read_history();
    assert_proves_nothing(TAKEN);
}

static void a_bind_that_went_well_shows_a_release_that_was_not_seen(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100);
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
    assert_int_equal(release_of(TAKEN), POSSIBLE);
}

static void whom_its_own_socket_refuses_has_lost_nothing(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100);
    binds(PARENT, TAKEN, 300);
    is_refused(PARENT, TAKEN_AGAIN, 320);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
    assert_proves_nothing(TAKEN_AGAIN);
}

static void one_that_shares_the_port_shows_no_release(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100)->start.flags |= PW_FLAG_REUSEPORT;
    binds(PARENT, TAKEN, 300)->start.flags |= PW_FLAG_REUSEPORT;
    read_history();
    assert_proves_nothing(TAKEN);
}

static void a_refusal_within_the_close_may_have_come_after_it(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100);
    releases(PARENT, GIVEN, 303);
    is_refused(PARENT, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
    assert_int_equal(release_of(TAKEN), POSSIBLE);
}

/* The assignment seems to be held; a stranger binds at `at` to `end`, and the owner is refused. */
static void is_between(uint64_t given_at, uint64_t at, uint64_t end, uint64_t flags) {
    make_processes();
    bind_socket(SOCK_STREAM, STRANGER, BETWEEN, BETWEEN, at, 0, PORT)[0].start.flags |= flags;
    writer.units[writer.used - 2].start.end_ns = end;
    is_assigned(PARENT, GIVEN, given_at)->start.flags |= flags;
    is_refused(PARENT, TAKEN, given_at + 200);
    read_history();
}

static void who_had_the_port_since_shows_a_release_that_was_not_seen(void **state) {
    (void)state;
    is_between(100, 200, 205, 0);
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
}

static void who_had_the_port_before_shows_nothing(void **state) {
    (void)state;
    is_between(100, 90, 95, 0);
    assert_proves_nothing(TAKEN);
}

static void who_began_to_ask_before_may_have_had_it_since(void **state) {
    (void)state;
    is_between(100, 90, 150, 0);
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
}

static void who_began_to_ask_more_than_a_second_before_is_not_looked_at(void **state) {
    (void)state;
    is_between(UINT64_C(2000000000), 90, UINT64_C(2000000100), 0);
    assert_proves_nothing(TAKEN);
}

static void who_shares_the_port_shows_nothing(void **state) {
    (void)state;
    union pw_unit *units;

    make_processes();
    is_assigned(PARENT, GIVEN, 100)->start.flags |= PW_FLAG_REUSEPORT;
    units = binds(STRANGER, BETWEEN, 200);
    units[0].start.flags |= PW_FLAG_REUSEPORT;
    is_refused(PARENT, TAKEN, 300);
    read_history();
    assert_proves_nothing(TAKEN);
}

/* What is not known. */

static void another_network_namespace_has_other_ports(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    binds(PARENT, TAKEN, 300)[1].socket.netns = 4027;
    read_history();
    assert_proves_nothing(TAKEN);
}

static void an_unknown_namespace_of_the_binder_may_be_the_same(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    binds(PARENT, TAKEN, 300)[1].socket.netns = 0;
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, POSSIBLE);
}

static void an_unknown_namespace_of_the_assignment_may_be_the_same(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100)[1].socket.netns = 0;
    releases(PARENT, GIVEN, 110);
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, POSSIBLE);
}

static void put_in_sandbox(uint64_t process, uint64_t at) {
    writer_add(&writer, PW_KIND_BLIND_SPOT, 2, process, -1, 0, at, at + 1)[1].numbers.code =
        PW_BLIND_SANDBOXED;
}

static void a_process_in_a_sandbox_claims_nothing(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    put_in_sandbox(PARENT, 150);
    binds(CHILD, TAKEN, 300);
    read_history();
    assert_proves_nothing(TAKEN);
}

static void a_sandbox_entered_after_the_bind_changes_nothing(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    binds(CHILD, TAKEN, 300);
    put_in_sandbox(PARENT, 306);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_RELATED, CERTAIN);
}

static void a_sandbox_of_the_binder_changes_nothing(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    put_in_sandbox(CHILD, 150);
    binds(CHILD, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_RELATED, CERTAIN);
}

enum { MILLISECOND = 1000000 };

/* Units that nobody filled, between an event at 20 ms and one at 30 ms. */
static void a_record_is_lost(uint64_t given_at) {
    make_processes();
    on_socket(PW_KIND_SOCKET, SOCK_STREAM, STRANGER, 9, 9, 20 * MILLISECOND);
    writer.used += 2;
    on_socket(PW_KIND_SOCKET, SOCK_STREAM, STRANGER, 8, 8, 30 * MILLISECOND);
    is_assigned_and_releases(PARENT, GIVEN, given_at);
    binds(PARENT, TAKEN, given_at + 5 * MILLISECOND);
    read_history();
    assert_int_equal(check.traces[0].counts.blank, 2);
}

static void a_record_lost_meanwhile_makes_it_possible(void **state) {
    (void)state;
    a_record_is_lost(22 * MILLISECOND);
    assert_proves(TAKEN, GIVEN, TIER_OWN, POSSIBLE);
    assert_int_equal(release_of(TAKEN), CERTAIN);
}

static void a_record_lost_after_the_number_was_given_makes_it_possible(void **state) {
    (void)state;
    a_record_is_lost(16 * MILLISECOND);
    assert_proves(TAKEN, GIVEN, TIER_OWN, POSSIBLE);
}

static void a_record_lost_before_leaves_it_certain(void **state) {
    (void)state;
    a_record_is_lost(32 * MILLISECOND);
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
}

static void a_record_lost_after_leaves_it_certain(void **state) {
    (void)state;
    a_record_is_lost(12 * MILLISECOND);
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
}

static void records_lost_at_an_unknown_time_make_all_possible(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    binds(PARENT, TAKEN, 300);
    atomic_store(&writer.header.lost[PW_LOST_NO_ADDRESS_SPACE], 1);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, POSSIBLE);
}

/* A retry is a repeat and no second loss. */

static void assert_repeats(uint64_t cookie, uint64_t first) {
    uint32_t repeats = history->requests[of_socket(cookie)].repeats;

    assert_int_equal(repeats, first == 0 ? MAP_NONE : of_socket(first));
}

static void a_retry_in_vain_repeats_the_first(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    for (uint64_t i = 0; i < 3; i++)
        is_refused(PARENT, TAKEN + i, 300 + 10 * i);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
    assert_repeats(TAKEN, 0);
    assert_repeats(TAKEN_AGAIN, TAKEN);
    assert_repeats(TAKEN_ONCE_MORE, TAKEN);
    assert_int_equal(history->requests[of_socket(TAKEN)].times, 2);
}

static void after_one_that_went_well_a_refusal_is_new(void **state) {
    (void)state;
    make_processes();
    is_refused(PARENT, TAKEN, 300);
    binds(PARENT, TAKEN_AGAIN, 310);
    releases(PARENT, TAKEN_AGAIN, 320);
    is_refused(PARENT, TAKEN_ONCE_MORE, 330);
    read_history();
    assert_repeats(TAKEN_ONCE_MORE, 0);
    assert_int_equal(history->requests[of_socket(TAKEN)].times, 0);
}

static void a_refusal_of_a_number_given_since_is_new(void **state) {
    (void)state;
    make_processes();
    is_refused(PARENT, TAKEN, 50);
    is_assigned_and_releases(PARENT, GIVEN, 100);
    is_refused(PARENT, TAKEN_AGAIN, 300);
    is_refused(PARENT, TAKEN_ONCE_MORE, 310);
    read_history();
    assert_proves(TAKEN_AGAIN, GIVEN, TIER_OWN, POSSIBLE);
    assert_repeats(TAKEN_AGAIN, 0);
    assert_repeats(TAKEN_ONCE_MORE, TAKEN_AGAIN);
}

static void processes_fail_each_on_its_own(void **state) {
    (void)state;
    make_processes();
    is_refused(PARENT, TAKEN, 300);
    is_refused(CHILD, TAKEN_AGAIN, 310);
    read_history();
    assert_repeats(TAKEN_AGAIN, 0);
}

static void tcp_and_udp_fail_each_on_its_own(void **state) {
    (void)state;
    make_processes();
    is_refused(PARENT, TAKEN, 300);
    is_refused(PARENT, TAKEN_AGAIN, 310)[1].socket.type = SOCK_DGRAM;
    read_history();
    assert_repeats(TAKEN_AGAIN, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HISTORY_TEST(a_release_before_the_bind_is_certain),
        HISTORY_TEST(without_a_close_no_release_is_seen),
        HISTORY_TEST(a_release_that_was_inferred_is_possible),
        HISTORY_TEST(a_release_by_exit_is_possible),
        HISTORY_TEST(a_torn_record_makes_release_and_proof_possible),
        HISTORY_TEST(a_torn_record_before_the_close_leaves_the_release_possible),
        HISTORY_TEST(a_torn_record_of_the_taker_makes_the_proof_possible),
        HISTORY_TEST(a_refused_bind_met_the_socket_that_is_still_there),
        HISTORY_TEST(a_bind_that_went_well_shows_a_release_that_was_not_seen),
        HISTORY_TEST(whom_its_own_socket_refuses_has_lost_nothing),
        HISTORY_TEST(one_that_shares_the_port_shows_no_release),
        HISTORY_TEST(a_refusal_within_the_close_may_have_come_after_it),
        HISTORY_TEST(who_had_the_port_since_shows_a_release_that_was_not_seen),
        HISTORY_TEST(who_had_the_port_before_shows_nothing),
        HISTORY_TEST(who_began_to_ask_before_may_have_had_it_since),
        HISTORY_TEST(who_began_to_ask_more_than_a_second_before_is_not_looked_at),
        HISTORY_TEST(who_shares_the_port_shows_nothing),
        HISTORY_TEST(another_network_namespace_has_other_ports),
        HISTORY_TEST(an_unknown_namespace_of_the_binder_may_be_the_same),
        HISTORY_TEST(an_unknown_namespace_of_the_assignment_may_be_the_same),
        HISTORY_TEST(a_process_in_a_sandbox_claims_nothing),
        HISTORY_TEST(a_sandbox_entered_after_the_bind_changes_nothing),
        HISTORY_TEST(a_sandbox_of_the_binder_changes_nothing),
        HISTORY_TEST(a_record_lost_meanwhile_makes_it_possible),
        HISTORY_TEST(a_record_lost_after_the_number_was_given_makes_it_possible),
        HISTORY_TEST(a_record_lost_before_leaves_it_certain),
        HISTORY_TEST(a_record_lost_after_leaves_it_certain),
        HISTORY_TEST(records_lost_at_an_unknown_time_make_all_possible),
        HISTORY_TEST(a_retry_in_vain_repeats_the_first),
        HISTORY_TEST(after_one_that_went_well_a_refusal_is_new),
        HISTORY_TEST(a_refusal_of_a_number_given_since_is_new),
        HISTORY_TEST(processes_fail_each_on_its_own),
        HISTORY_TEST(tcp_and_udp_fail_each_on_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
