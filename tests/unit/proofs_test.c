/* Which bind by number proves that a number given for port 0 was relied on: who can have known it,
 * what is an assignment, and which of several is meant. */
#include "tests/unit/proofs_fixture.h"

/* Who can have known the number. */

static void the_process_itself_surely_knew_it(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
    assert_int_equal(release_of(TAKEN), CERTAIN);
    assert_proved_by(GIVEN, 0, TAKEN);
    assert_proved_by(GIVEN, 1, 0);
}

static void it_still_is_the_same_process_after_exec(void **state) {
    (void)state;
    starts(0, PARENT, 10);
    is_assigned_and_releases(PARENT, GIVEN, 100);
    executes(PARENT, PARENT, IMAGE, 150);
    binds(IMAGE, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
}

static void a_child_knows_what_its_parent_was_given(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    binds(CHILD, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_RELATED, CERTAIN);
}

static void a_parent_knows_what_its_child_was_given(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(CHILD, GIVEN, 100);
    is_refused(PARENT, TAKEN, 300);
    bind_socket(SOCK_STREAM, STRANGER, BETWEEN, BETWEEN, 200, 0, PORT);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_RELATED, CERTAIN);
}

static void a_stranger_cannot_know_it(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    binds(STRANGER, TAKEN, 300);
    read_history();
    assert_proves_nothing(TAKEN);
    assert_proved_by(GIVEN, 0, 0);
}

static void a_stranger_is_handed_it_by(uint64_t flag, uint64_t began) {
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    starts(0, OTHER_STRANGER, began);
    binds(OTHER_STRANGER, TAKEN, 300)->start.flags |= flag;
    read_history();
}

static void a_number_in_the_arguments_was_handed_over(void **state) {
    (void)state;
    a_stranger_is_handed_it_by(PW_FLAG_IN_ARGUMENTS, LATE);
    assert_proves(TAKEN, GIVEN, TIER_HANDED, CERTAIN);
}

static void a_number_in_the_environment_was_handed_over(void **state) {
    (void)state;
    a_stranger_is_handed_it_by(PW_FLAG_IN_ENVIRONMENT, LATE);
    assert_proves(TAKEN, GIVEN, TIER_HANDED, CERTAIN);
}

static void arguments_of_a_program_that_began_before_are_a_coincidence(void **state) {
    (void)state;
    a_stranger_is_handed_it_by(PW_FLAG_IN_ARGUMENTS, 104);
    assert_proves_nothing(TAKEN);
}

static void a_number_read_when_the_program_began_may_have_been_handed_over(void **state) {
    (void)state;
    a_stranger_is_handed_it_by(PW_FLAG_IN_ARGUMENTS, 105);
    assert_proves(TAKEN, GIVEN, TIER_HANDED, CERTAIN);
}

static void a_sibling_with_the_number_in_its_arguments_is_near(void **state) {
    (void)state;
    make_siblings();
    is_assigned_and_releases(2, GIVEN, 100);
    executes(3, 3, 4, LATE);
    binds(4, TAKEN, 300)->start.flags |= PW_FLAG_IN_ARGUMENTS;
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_NEAR, CERTAIN);
}

static void a_sibling_may_have_been_told_by_a_pipe(void **state) {
    (void)state;
    make_siblings();
    is_assigned_and_releases(2, GIVEN, 100);
    binds(3, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_SIBLING, POSSIBLE);
}

static void a_sibling_whose_arguments_are_older_is_only_a_sibling(void **state) {
    (void)state;
    make_siblings();
    is_assigned_and_releases(2, GIVEN, 100);
    binds(3, TAKEN, 300)->start.flags |= PW_FLAG_IN_ARGUMENTS;
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_SIBLING, POSSIBLE);
}

/* A server made the socket, and a stranger to it, who inherited it, asked for its number. */
static void somebody_else_reads(uint64_t reader) {
    bind_socket(SOCK_STREAM, STRANGER, GIVEN, GIVEN, 100, 0, PORT);
    writer_add(&writer, PW_KIND_ADDRESS_READ, 1, reader, GIVEN, GIVEN, 107, 108)->start.flags =
        PW_FLAG_PORT(PORT);
    releases(STRANGER, GIVEN, 110);
}

static void whoever_is_related_to_the_reader_knows_it(void **state) {
    (void)state;
    make_processes();
    somebody_else_reads(PARENT);
    binds(CHILD, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_RELATED, CERTAIN);
}

static void a_sibling_of_the_reader_may_have_been_told(void **state) {
    (void)state;
    make_siblings();
    starts(0, STRANGER, 40);
    somebody_else_reads(2);
    binds(3, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_SIBLING, POSSIBLE);
}

/* What is an assignment, and what a bind by number. */

static void a_number_that_nobody_read_is_no_claim(void **state) {
    (void)state;
    make_processes();
    bind_socket(SOCK_STREAM, PARENT, GIVEN, GIVEN, 100, 0, PORT);
    releases(PARENT, GIVEN, 110);
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_false(proofs_is_assignment(history, of_socket(GIVEN)));
    assert_proves_nothing(TAKEN);
}

static void a_number_read_after_the_bind_was_not_meant_by_it(void **state) {
    (void)state;
    make_processes();
    bind_socket(SOCK_STREAM, PARENT, GIVEN, GIVEN, 100, 0, PORT);
    writer_add(&writer, PW_KIND_ADDRESS_READ, 1, PARENT, GIVEN, GIVEN, 310, 311)->start.flags =
        PW_FLAG_PORT(PORT);
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_true(proofs_is_assignment(history, of_socket(GIVEN)));
    assert_proves_nothing(TAKEN);
}

static void a_bind_that_began_before_the_other_ended_was_not_meant_for_it(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100)->start.end_ns = 400;
    binds(PARENT, TAKEN, 300)->start.end_ns = 500;
    releases(PARENT, GIVEN, 410);
    read_history();
    assert_proves_nothing(TAKEN);
}

static void source_ports_of_connections_are_no_claims(void **state) {
    (void)state;
    static const enum pw_kind kinds[] = {PW_KIND_CONNECT, PW_KIND_AUTOBIND};

    make_processes();
    for (uint64_t i = 0; i < 2; i++) {
        union pw_unit *units =
            on_socket(kinds[i], SOCK_STREAM, PARENT, GIVEN + (int)i, GIVEN + i, 100 + 20 * i);
        units[0].start.flags = PW_FLAG_PORT_ZERO | PW_FLAG_HAS_ASSIGNED | PW_FLAG_ADDRESS_READ;
        units[1].socket.assigned_port = PORT;
        releases(PARENT, GIVEN + i, 110 + 20 * i);
    }
    binds(PARENT, TAKEN, 300);
    read_history();
    for (uint64_t i = 0; i < 2; i++)
        assert_false(proofs_is_assignment(history, of_socket(GIVEN + i)));
    assert_proves_nothing(TAKEN);
}

static void a_listen_that_bound_the_socket_is_an_assignment(void **state) {
    (void)state;
    union pw_unit *units;

    make_processes();
    units = on_socket(PW_KIND_LISTEN, SOCK_STREAM, PARENT, GIVEN, GIVEN, 100);
    units[0].start.flags = PW_FLAG_PORT_ZERO | PW_FLAG_HAS_ASSIGNED | PW_FLAG_ADDRESS_READ;
    units[1].socket.assigned_port = PORT;
    releases(PARENT, GIVEN, 110);
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
}

static void a_bind_by_number_assigns_nothing(void **state) {
    (void)state;
    make_processes();
    binds(PARENT, GIVEN, 100)->start.flags |= PW_FLAG_ADDRESS_READ;
    releases(PARENT, GIVEN, 110);
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_false(proofs_is_assignment(history, of_socket(GIVEN)));
    assert_true(proofs_is_attempt(history, of_socket(GIVEN)));
    assert_proves_nothing(TAKEN);
}

static void a_request_that_got_no_port_assigns_nothing(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100)->start.error = EACCES;
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_false(proofs_is_assignment(history, of_socket(GIVEN)));
    assert_proves_nothing(TAKEN);
}

static void only_a_bind_that_went_well_or_found_the_port_in_use_counts(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    is_refused(PARENT, TAKEN, 300)->start.error = EADDRNOTAVAIL;
    is_refused(PARENT, TAKEN_AGAIN, 310);
    binds(PARENT, TAKEN_ONCE_MORE, 320);
    read_history();
    assert_false(proofs_is_attempt(history, of_socket(GIVEN)));
    assert_false(proofs_is_attempt(history, of_socket(TAKEN)));
    assert_true(proofs_is_attempt(history, of_socket(TAKEN_AGAIN)));
    assert_true(proofs_is_attempt(history, of_socket(TAKEN_ONCE_MORE)));
    assert_proves_nothing(TAKEN);
    assert_proves(TAKEN_AGAIN, GIVEN, TIER_OWN, CERTAIN);
}

static void a_socket_does_not_prove_its_own_number(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100);
    releases(PARENT, GIVEN, 110);
    binds(PARENT, GIVEN, 300);
    read_history();
    assert_proves_nothing(GIVEN);
}

/* Which of several assignments. */

static void the_latest_that_fits_is_meant(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    is_assigned_and_releases(PARENT, GIVEN_LATER, 200);
    binds(CHILD, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN_LATER, TIER_RELATED, CERTAIN);
    assert_proved_by(GIVEN, 0, 0);
}

static void of_two_that_overlap_either_may_be_meant(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100)->start.end_ns = 108;
    is_assigned(PARENT, GIVEN_LATER, 106);
    releases(PARENT, GIVEN, 120);
    releases(PARENT, GIVEN_LATER, 130);
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN_LATER, TIER_OWN, POSSIBLE);
}

static void of_two_that_just_miss_each_other_the_later_is_meant(void **state) {
    (void)state;
    make_processes();
    is_assigned(CHILD, GIVEN, 100);
    is_assigned(CHILD, GIVEN_LATER, 106);
    releases(CHILD, GIVEN, 120);
    releases(CHILD, GIVEN_LATER, 130);
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN_LATER, TIER_RELATED, CERTAIN);
}

static void its_own_number_is_meant_before_a_later_one_of_a_sibling(void **state) {
    (void)state;
    make_siblings();
    is_assigned_and_releases(3, GIVEN, 100);
    is_assigned_and_releases(2, GIVEN_LATER, 200);
    binds(3, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_OWN, CERTAIN);
}

static void its_own_later_number_is_meant_before_one_of_a_parent(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    is_assigned_and_releases(CHILD, GIVEN_LATER, 200);
    binds(CHILD, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN_LATER, TIER_OWN, CERTAIN);
}

static void a_weaker_one_that_is_earlier_leaves_it_certain(void **state) {
    (void)state;
    make_siblings();
    is_assigned_and_releases(2, GIVEN, 100);
    is_assigned_and_releases(1, GIVEN_LATER, 200);
    binds(3, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN_LATER, TIER_RELATED, CERTAIN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HISTORY_TEST(the_process_itself_surely_knew_it),
        HISTORY_TEST(it_still_is_the_same_process_after_exec),
        HISTORY_TEST(a_child_knows_what_its_parent_was_given),
        HISTORY_TEST(a_parent_knows_what_its_child_was_given),
        HISTORY_TEST(a_stranger_cannot_know_it),
        HISTORY_TEST(a_number_in_the_arguments_was_handed_over),
        HISTORY_TEST(a_number_in_the_environment_was_handed_over),
        HISTORY_TEST(arguments_of_a_program_that_began_before_are_a_coincidence),
        HISTORY_TEST(a_number_read_when_the_program_began_may_have_been_handed_over),
        HISTORY_TEST(a_sibling_with_the_number_in_its_arguments_is_near),
        HISTORY_TEST(a_sibling_may_have_been_told_by_a_pipe),
        HISTORY_TEST(a_sibling_whose_arguments_are_older_is_only_a_sibling),
        HISTORY_TEST(whoever_is_related_to_the_reader_knows_it),
        HISTORY_TEST(a_sibling_of_the_reader_may_have_been_told),
        HISTORY_TEST(a_number_that_nobody_read_is_no_claim),
        HISTORY_TEST(a_number_read_after_the_bind_was_not_meant_by_it),
        HISTORY_TEST(a_bind_that_began_before_the_other_ended_was_not_meant_for_it),
        HISTORY_TEST(source_ports_of_connections_are_no_claims),
        HISTORY_TEST(a_listen_that_bound_the_socket_is_an_assignment),
        HISTORY_TEST(a_bind_by_number_assigns_nothing),
        HISTORY_TEST(a_request_that_got_no_port_assigns_nothing),
        HISTORY_TEST(only_a_bind_that_went_well_or_found_the_port_in_use_counts),
        HISTORY_TEST(a_socket_does_not_prove_its_own_number),
        HISTORY_TEST(the_latest_that_fits_is_meant),
        HISTORY_TEST(of_two_that_overlap_either_may_be_meant),
        HISTORY_TEST(of_two_that_just_miss_each_other_the_later_is_meant),
        HISTORY_TEST(its_own_number_is_meant_before_a_later_one_of_a_sibling),
        HISTORY_TEST(its_own_later_number_is_meant_before_one_of_a_parent),
        HISTORY_TEST(a_weaker_one_that_is_earlier_leaves_it_certain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
