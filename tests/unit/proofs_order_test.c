/* Which bind by number proves which assignment, where there are several of either, or where the
 * number was named before. */
#include "tests/unit/proofs_fixture.h"

/* One bind proves one assignment for each protocol. */

static void what_one_bind_proved_no_other_proves_again(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    binds(PARENT, TAKEN, 300);
    releases(PARENT, TAKEN, 310);
    binds(PARENT, TAKEN_AGAIN, 320);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
    assert_proves_nothing(TAKEN_AGAIN);
    assert_proved_by(GIVEN, 0, TAKEN);
}

static void two_binds_prove_two_assignments(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    is_assigned_and_releases(PARENT, GIVEN_LATER, 200);
    binds(PARENT, TAKEN, 300);
    releases(PARENT, TAKEN, 310);
    binds(PARENT, TAKEN_AGAIN, 320);
    read_history();
    assert_proves(TAKEN, GIVEN_LATER, TIER_OWN, CERTAIN);
    assert_proves(TAKEN_AGAIN, GIVEN, TIER_OWN, CERTAIN);
}

/* Tests that run in threads of one process, and are given one number one after the other. */
static void a_thread_means_the_number_that_it_was_given_itself(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    is_assigned(PARENT, GIVEN_LATER, 200)[0].start.thread = 7;
    releases(PARENT, GIVEN_LATER, 210);
    binds(PARENT, TAKEN, 300);
    releases(PARENT, TAKEN, 310);
    binds(PARENT, TAKEN_AGAIN, 320)[0].start.thread = 7;
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, POSSIBLE);
    assert_proves(TAKEN_AGAIN, GIVEN_LATER, TIER_OWN, POSSIBLE);
}

static void tcp_and_udp_prove_the_same_number_apart(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    binds(PARENT, TAKEN, 300);
    binds_udp(PARENT, TAKEN_AGAIN, 310);
    binds_udp(PARENT, TAKEN_ONCE_MORE, 320)->start.flags |= PW_FLAG_REUSEPORT;
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
    assert_proves(TAKEN_AGAIN, GIVEN, TIER_OWN, CERTAIN);
    assert_proves_nothing(TAKEN_ONCE_MORE);
    assert_proved_by(GIVEN, 0, TAKEN);
    assert_proved_by(GIVEN, 1, TAKEN_AGAIN);
}

static void a_sibling_does_not_take_it_from_who_surely_meant_it(void **state) {
    (void)state;
    make_siblings();
    is_assigned_and_releases(2, GIVEN, 100);
    binds(3, TAKEN, 300);
    releases(3, TAKEN, 310);
    binds(2, TAKEN_AGAIN, 320);
    read_history();
    assert_proves(TAKEN_AGAIN, GIVEN, TIER_OWN, CERTAIN);
    assert_proved_by(GIVEN, 0, TAKEN_AGAIN);
}

static void one_sibling_does_not_take_it_from_another(void **state) {
    (void)state;
    make_siblings();
    forks(1, 4, 40);
    is_assigned_and_releases(2, GIVEN, 100);
    binds(3, TAKEN, 300);
    releases(3, TAKEN, 310);
    binds(4, TAKEN_AGAIN, 320);
    read_history();
    assert_proves(TAKEN_AGAIN, GIVEN, TIER_SIBLING, POSSIBLE);
}

/* The number stands in the arguments of a stranger, who binds it first. */
static void handed_over_first(uint64_t flags, uint64_t again_by) {
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    starts(0, OTHER_STRANGER, LATE);
    starts(0, OTHER_STRANGER + 1, LATE);
    binds(OTHER_STRANGER, TAKEN, 300)->start.flags |= PW_FLAG_IN_ARGUMENTS;
    releases(OTHER_STRANGER, TAKEN, 310);
    binds(again_by, TAKEN_AGAIN, 320)->start.flags |= flags;
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_HANDED, CERTAIN);
}

static void a_number_handed_over_is_still_its_owner_s(void **state) {
    (void)state;
    handed_over_first(0, PARENT);
    assert_proves(TAKEN_AGAIN, GIVEN, TIER_OWN, CERTAIN);
}

static void a_number_handed_over_twice_is_the_first_one_s(void **state) {
    (void)state;
    handed_over_first(PW_FLAG_IN_ARGUMENTS, OTHER_STRANGER + 1);
    assert_proves_nothing(TAKEN_AGAIN);
}

static void a_near_one_takes_it_even_from_its_owner(void **state) {
    (void)state;
    make_siblings();
    is_assigned_and_releases(2, GIVEN, 100);
    executes(3, 3, 4, LATE);
    binds(4, TAKEN, 300)->start.flags |= PW_FLAG_IN_ARGUMENTS;
    releases(4, TAKEN, 310);
    binds(2, TAKEN_AGAIN, 320);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_NEAR, CERTAIN);
    assert_proves_nothing(TAKEN_AGAIN);
}

/* The later number was proved by a bind that may have come before its release. */
static void a_possible_proof_casts_its_shadow(uint64_t released) {
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    is_assigned(PARENT, GIVEN_LATER, 200);
    releases(PARENT, GIVEN_LATER, released);
    binds(PARENT, TAKEN, 300);
    releases(PARENT, TAKEN, 310);
    binds(PARENT, TAKEN_AGAIN, 320);
    read_history();
    assert_proves(TAKEN, GIVEN_LATER, TIER_OWN, CERTAIN);
}

static void behind_a_certain_proof_the_next_is_certain(void **state) {
    (void)state;
    a_possible_proof_casts_its_shadow(210);
    assert_int_equal(release_of(TAKEN), CERTAIN);
    assert_proves(TAKEN_AGAIN, GIVEN, TIER_OWN, CERTAIN);
}

static void behind_a_possible_proof_the_next_is_possible(void **state) {
    (void)state;
    a_possible_proof_casts_its_shadow(298);
    assert_int_equal(release_of(TAKEN), POSSIBLE);
    assert_proves(TAKEN_AGAIN, GIVEN, TIER_OWN, POSSIBLE);
}

/* What the binder meant already before the number was given out. */

static void another_process_that_named_it_before_means_its_own_number(void **state) {
    (void)state;
    make_processes();
    binds(CHILD, NAMED, 50);
    releases(CHILD, NAMED, 60);
    is_assigned_and_releases(PARENT, GIVEN, 100);
    binds(CHILD, TAKEN, 300);
    read_history();
    assert_proves_nothing(TAKEN);
}

static void the_same_process_that_named_it_before_may_mean_either(void **state) {
    (void)state;
    make_processes();
    binds(PARENT, NAMED, 50);
    releases(PARENT, NAMED, 60);
    is_assigned_and_releases(PARENT, GIVEN, 100);
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, POSSIBLE);
}

static void one_that_named_it_while_it_was_given_out_may_mean_either(void **state) {
    (void)state;
    make_processes();
    is_refused(CHILD, NAMED, 98);
    is_assigned_and_releases(PARENT, GIVEN, 100);
    binds(CHILD, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_RELATED, POSSIBLE);
}

static void naming_it_again_later_changes_nothing(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    is_assigned_and_releases(PARENT, GIVEN_LATER, 140);
    binds(CHILD, TAKEN, 300);
    releases(CHILD, TAKEN, 310);
    binds(CHILD, TAKEN_AGAIN, 320);
    read_history();
    assert_proves(TAKEN_AGAIN, GIVEN, TIER_RELATED, CERTAIN);
}

/* Of a test runner with a fixed port: one child after another names it, the number is in their
 * arguments, and the kernel happened to give it to somebody between. */
static void a_runner_named_it_before(uint64_t assigner) {
    starts(0, 1, 10);
    starts(0, STRANGER, 20);
    starts(1, 20, 30);
    binds(20, NAMED, 50);
    releases(20, NAMED, 60);
    is_assigned_and_releases(assigner, GIVEN, 100);
    starts(1, 21, LATE);
    binds(21, TAKEN, 300)->start.flags |= PW_FLAG_IN_ARGUMENTS;
    read_history();
}

static void what_a_sibling_of_the_binder_named_before_was_not_handed_over(void **state) {
    (void)state;
    a_runner_named_it_before(STRANGER);
    assert_proves_nothing(TAKEN);
}

static void what_a_sibling_named_before_a_parent_s_number_is_possible(void **state) {
    (void)state;
    a_runner_named_it_before(1);
    assert_proves(TAKEN, GIVEN, TIER_RELATED, POSSIBLE);
}

static void one_that_was_perhaps_not_meant_makes_an_earlier_one_possible(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(CHILD, GIVEN, 100);
    binds_udp(CHILD, TAKEN_AGAIN, 200);
    is_assigned_and_releases(PARENT, GIVEN_LATER, 250);
    binds(CHILD, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, POSSIBLE);
    assert_proved_by(GIVEN_LATER, 0, 0);
}

static void ports_are_named_one_by_one(void **state) {
    (void)state;
    make_processes();
    bind_socket(SOCK_STREAM, CHILD, NAMED, NAMED, 50, PORT + 1, PORT + 1);
    is_assigned_and_releases(PARENT, GIVEN, 100);
    binds(CHILD, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_RELATED, CERTAIN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HISTORY_TEST(what_one_bind_proved_no_other_proves_again),
        HISTORY_TEST(two_binds_prove_two_assignments),
        HISTORY_TEST(a_thread_means_the_number_that_it_was_given_itself),
        HISTORY_TEST(tcp_and_udp_prove_the_same_number_apart),
        HISTORY_TEST(a_sibling_does_not_take_it_from_who_surely_meant_it),
        HISTORY_TEST(one_sibling_does_not_take_it_from_another),
        HISTORY_TEST(a_number_handed_over_is_still_its_owner_s),
        HISTORY_TEST(a_number_handed_over_twice_is_the_first_one_s),
        HISTORY_TEST(a_near_one_takes_it_even_from_its_owner),
        HISTORY_TEST(behind_a_certain_proof_the_next_is_certain),
        HISTORY_TEST(behind_a_possible_proof_the_next_is_possible),
        HISTORY_TEST(another_process_that_named_it_before_means_its_own_number),
        HISTORY_TEST(the_same_process_that_named_it_before_may_mean_either),
        HISTORY_TEST(one_that_named_it_while_it_was_given_out_may_mean_either),
        HISTORY_TEST(naming_it_again_later_changes_nothing),
        HISTORY_TEST(what_a_sibling_of_the_binder_named_before_was_not_handed_over),
        HISTORY_TEST(what_a_sibling_named_before_a_parent_s_number_is_possible),
        HISTORY_TEST(one_that_was_perhaps_not_meant_makes_an_earlier_one_possible),
        HISTORY_TEST(ports_are_named_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
