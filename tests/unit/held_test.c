/* A number whose port the binder, or an ancestor of his, holds still is known from there: it proves
 * nothing of an older assignment of the same number. */
#include "tests/unit/proofs_fixture.h"

#define SECOND UINT64_C(1000000000)

/* Refused, it may have lost what was given before, and may have expected it. */
static void assert_explained(uint64_t taken, uint64_t given) {
    assert_proves(taken, given, TIER_OWN, POSSIBLE);
    assert_true(history->requests[of_socket(taken)].is_explained);
}

/* An older assignment of the number, which the bind would prove but for the one that is held. */
static void was_given_before(void) {
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
}

static void of_thread(union pw_unit *units, uint32_t thread) { units[0].start.thread = thread; }

static void a_refusal_of_the_own_port_may_have_been_expected(void **state) {
    (void)state;
    was_given_before();
    is_assigned(PARENT, GIVEN_LATER, 200);
    is_refused(PARENT, TAKEN, 300);
    read_history();
    assert_explained(TAKEN, GIVEN);
}

static void so_may_one_of_a_port_that_was_bound_by_number(void **state) {
    (void)state;
    was_given_before();
    is_assigned_and_releases(PARENT, GIVEN_LATER, 2 * SECOND);
    binds(PARENT, TAKEN, 2 * SECOND + 100);
    is_refused(PARENT, TAKEN_AGAIN, 2 * SECOND + 200);
    read_history();
    assert_proves(TAKEN, GIVEN_LATER, TIER_OWN, CERTAIN);
    assert_explained(TAKEN_AGAIN, GIVEN);
}

static void not_so_where_the_number_was_picked_twice_in_a_row(void **state) {
    (void)state;
    was_given_before();
    is_assigned_and_releases(PARENT, GIVEN_LATER, 140);
    binds(PARENT, TAKEN, 200);
    is_refused(PARENT, TAKEN_AGAIN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN_LATER, TIER_OWN, CERTAIN);
    assert_proves(TAKEN_AGAIN, GIVEN, TIER_OWN, CERTAIN);
    assert_false(history->requests[of_socket(TAKEN_AGAIN)].is_explained);
}

static void a_bind_that_shares_the_own_port_proves_nothing(void **state) {
    (void)state;
    was_given_before();
    is_assigned(PARENT, GIVEN_LATER, 200)->start.flags |= PW_FLAG_REUSEPORT;
    binds(PARENT, TAKEN, 300)->start.flags |= PW_FLAG_REUSEPORT;
    read_history();
    assert_proves_nothing(TAKEN);
}

static void nor_does_a_second_protocol_on_the_own_number(void **state) {
    (void)state;
    was_given_before();
    is_assigned(PARENT, GIVEN_LATER, 200);
    binds_udp(PARENT, TAKEN, 300);
    read_history();
    assert_proves_nothing(TAKEN);
}

static void so_may_one_of_what_an_ancestor_holds(void **state) {
    (void)state;
    was_given_before();
    is_assigned(PARENT, GIVEN_LATER, 200);
    is_refused(CHILD, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_RELATED, POSSIBLE);
    assert_true(history->requests[of_socket(TAKEN)].is_explained);
}

static void a_child_that_was_given_the_port_has_taken_it(void **state) {
    (void)state;
    was_given_before();
    is_assigned(CHILD, GIVEN_LATER, 200);
    is_refused(PARENT, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
}

static void a_child_that_shares_the_port_explains_the_bind(void **state) {
    (void)state;
    was_given_before();
    is_assigned(CHILD, GIVEN_LATER, 200)->start.flags |= PW_FLAG_REUSEPORT;
    binds(PARENT, TAKEN, 300)->start.flags |= PW_FLAG_REUSEPORT;
    read_history();
    assert_proves_nothing(TAKEN);
}

static void a_number_that_nobody_read_is_not_known(void **state) {
    (void)state;
    was_given_before();
    is_assigned(PARENT, GIVEN_LATER, 200)->start.flags &= ~PW_FLAG_ADDRESS_READ;
    is_refused(PARENT, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
}

static void what_a_stranger_holds_explains_nothing(void **state) {
    (void)state;
    was_given_before();
    is_assigned(STRANGER, GIVEN_LATER, 200);
    is_refused(PARENT, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
}

static void what_was_released_explains_nothing(void **state) {
    (void)state;
    was_given_before();
    is_assigned_and_releases(PARENT, GIVEN_LATER, 230);
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN_LATER, TIER_OWN, CERTAIN);
}

/* Its close is not on record, but the kernel gave the port to somebody else. */
static void what_somebody_else_had_since_explains_nothing(void **state) {
    (void)state;
    was_given_before();
    is_assigned(PARENT, GIVEN_LATER, 150);
    is_assigned(STRANGER, BETWEEN, 200);
    is_refused(PARENT, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN_LATER, TIER_OWN, CERTAIN);
}

static void a_thread_that_another_took_the_port_from_may_have_lost_it(void **state) {
    (void)state;
    make_processes();
    of_thread(is_assigned(PARENT, GIVEN, 100), 1);
    releases(PARENT, GIVEN, 110);
    of_thread(is_assigned(PARENT, GIVEN_LATER, 200), 2);
    of_thread(is_refused(PARENT, TAKEN, 300), 1);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, POSSIBLE);
    assert_false(history->requests[of_socket(TAKEN)].is_explained);
}

static void a_thread_that_was_not_given_it_may_have_expected_it(void **state) {
    (void)state;
    make_processes();
    of_thread(is_assigned(PARENT, GIVEN, 100), 2);
    releases(PARENT, GIVEN, 110);
    of_thread(is_assigned(PARENT, GIVEN_LATER, 200), 2);
    of_thread(is_refused(PARENT, TAKEN, 300), 1);
    read_history();
    assert_explained(TAKEN, GIVEN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HISTORY_TEST(a_refusal_of_the_own_port_may_have_been_expected),
        HISTORY_TEST(so_may_one_of_a_port_that_was_bound_by_number),
        HISTORY_TEST(not_so_where_the_number_was_picked_twice_in_a_row),
        HISTORY_TEST(a_bind_that_shares_the_own_port_proves_nothing),
        HISTORY_TEST(nor_does_a_second_protocol_on_the_own_number),
        HISTORY_TEST(so_may_one_of_what_an_ancestor_holds),
        HISTORY_TEST(a_child_that_was_given_the_port_has_taken_it),
        HISTORY_TEST(a_child_that_shares_the_port_explains_the_bind),
        HISTORY_TEST(a_number_that_nobody_read_is_not_known),
        HISTORY_TEST(what_a_stranger_holds_explains_nothing),
        HISTORY_TEST(what_was_released_explains_nothing),
        HISTORY_TEST(what_somebody_else_had_since_explains_nothing),
        HISTORY_TEST(a_thread_that_another_took_the_port_from_may_have_lost_it),
        HISTORY_TEST(a_thread_that_was_not_given_it_may_have_expected_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
