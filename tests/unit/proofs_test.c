/* Which bind by number proves that a number given for port 0 was relied on. In these stories the
 * parent is given PORT, lets it go, and somebody binds it. Sockets are named by their cookies. */
#include "harness/check/proofs.h"

#include "tests/unit/history_fixture.h"

enum {
    GIVEN = 30, /* the socket that was given the number */
    GIVEN_LATER,
    TAKEN = 40, /* the one bound by number */
    TAKEN_AGAIN,
    TAKEN_ONCE_MORE,
    NAMED = 50,    /* one that had the number before it was given out */
    BETWEEN = 60,  /* one that somebody else had meanwhile */
    STRANGER = 10, /* processes */
    OTHER_STRANGER,
    LATE = 200 /* whoever is started then had time to be told the number */
};

static void make_processes(void) {
    starts(0, PARENT, 10);
    forks(PARENT, CHILD, 20);
    starts(0, STRANGER, 30);
}

/* 2 and 3, of 1. */
static void make_siblings(void) {
    starts(0, 1, 10);
    forks(1, 2, 20);
    forks(1, 3, 30);
}

/* Whoever binds 20 ns later finds it free. */
static void is_assigned_and_releases(uint64_t process, uint64_t cookie, uint64_t at) {
    is_assigned(process, cookie, at);
    releases(process, cookie, at + 10);
}

static void assert_proves(uint64_t taken, uint64_t given, enum tier tier, enum certainty how) {
    const struct request *request = &history->requests[of_socket(taken)];

    if (request->proves == MAP_NONE)
        fail_msg("socket %u proves nothing", (unsigned)taken);
    assert_int_equal(history->requests[request->proves].cookie, given);
    assert_int_equal(request->tier, tier);
    assert_int_equal(request->proof_certainty, how);
}

static void assert_proves_nothing(uint64_t taken) {
    assert_int_equal(history->requests[of_socket(taken)].proves, MAP_NONE);
}

static void assert_proved_by(uint64_t given, unsigned slot, uint64_t taken) {
    uint32_t by = history->requests[of_socket(given)].proved_by[slot];

    assert_int_equal(by, taken == 0 ? MAP_NONE : of_socket(taken));
}

static enum certainty release_of(uint64_t taken) {
    return history->requests[of_socket(taken)].release_certainty;
}

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
    assert_proves(TAKEN, GIVEN, TIER_KIN, CERTAIN);
}

static void a_parent_knows_what_its_child_was_given(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(CHILD, GIVEN, 100);
    is_refused(PARENT, TAKEN, 300);
    bind_socket(SOCK_STREAM, STRANGER, BETWEEN, BETWEEN, 200, 0, PORT);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_KIN, CERTAIN);
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
    assert_proves(TAKEN, GIVEN, TIER_KIN, CERTAIN);
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
    assert_proves(TAKEN, GIVEN_LATER, TIER_KIN, CERTAIN);
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
    assert_proves(TAKEN, GIVEN_LATER, TIER_KIN, CERTAIN);
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
    assert_proves(TAKEN, GIVEN_LATER, TIER_KIN, CERTAIN);
}

/* One bind proves one assignment for each protocol. */

static union pw_unit *binds_udp(uint64_t process, uint64_t cookie, uint64_t at) {
    return bind_socket(SOCK_DGRAM, process, (int)cookie, cookie, at, PORT, PORT);
}

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
    assert_proves(TAKEN, GIVEN, TIER_KIN, POSSIBLE);
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
    assert_proves(TAKEN_AGAIN, GIVEN, TIER_KIN, CERTAIN);
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
    assert_proves(TAKEN, GIVEN, TIER_KIN, POSSIBLE);
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
    assert_proves(TAKEN, GIVEN, TIER_KIN, CERTAIN);
}

/* Was the port free? */

static void a_release_before_the_bind_is_certain(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100);
    releases(PARENT, GIVEN, 200);
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_int_equal(proofs_released(history, of_socket(GIVEN), 300), RELEASE_CERTAIN);
    assert_int_equal(proofs_released(history, of_socket(GIVEN), 205), RELEASE_CERTAIN);
    assert_int_equal(proofs_released(history, of_socket(GIVEN), 204), RELEASE_POSSIBLE);
    assert_int_equal(proofs_released(history, of_socket(GIVEN), 199), RELEASE_NOT_SEEN);
}

static void without_a_close_no_release_is_seen(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100);
    binds(CHILD, TAKEN, 300);
    read_history();
    assert_int_equal(proofs_released(history, of_socket(GIVEN), 300), RELEASE_NOT_SEEN);
}

static void a_release_that_was_inferred_is_possible(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100);
    releases(PARENT, GIVEN, 110);
    writer.units[writer.used - 1].start.flags = PW_FLAG_RELEASE_INFERRED;
    binds(CHILD, TAKEN, 300);
    read_history();
    assert_int_equal(proofs_released(history, of_socket(GIVEN), 300), RELEASE_POSSIBLE);
    assert_proves(TAKEN, GIVEN, TIER_KIN, CERTAIN);
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
    assert_int_equal(proofs_released(history, of_socket(GIVEN), 300), RELEASE_POSSIBLE);
    assert_int_equal(release_of(TAKEN), POSSIBLE);
}

static void a_torn_record_makes_release_and_proof_possible(void **state) {
    (void)state;
    make_processes();
    is_assigned(PARENT, GIVEN, 100);
    writer_tear(writer_add(&writer, PW_KIND_CLOSE, 1, PARENT, GIVEN, GIVEN, 110, 115));
    binds(PARENT, TAKEN, 300);
    read_history();
    assert_int_equal(proofs_released(history, of_socket(GIVEN), 300), RELEASE_POSSIBLE);
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
    assert_int_equal(proofs_released(history, of_socket(GIVEN), 300), RELEASE_POSSIBLE);
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
    assert_proves(TAKEN, GIVEN, TIER_KIN, CERTAIN);
}

static void a_sandbox_of_the_binder_changes_nothing(void **state) {
    (void)state;
    make_processes();
    is_assigned_and_releases(PARENT, GIVEN, 100);
    put_in_sandbox(CHILD, 150);
    binds(CHILD, TAKEN, 300);
    read_history();
    assert_proves(TAKEN, GIVEN, TIER_KIN, CERTAIN);
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
        HISTORY_TEST(what_one_bind_proved_no_other_proves_again),
        HISTORY_TEST(two_binds_prove_two_assignments),
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
        HISTORY_TEST(a_release_before_the_bind_is_certain),
        HISTORY_TEST(without_a_close_no_release_is_seen),
        HISTORY_TEST(a_release_that_was_inferred_is_possible),
        HISTORY_TEST(a_release_by_exit_is_possible),
        HISTORY_TEST(a_torn_record_makes_release_and_proof_possible),
        HISTORY_TEST(a_torn_record_before_the_close_leaves_the_release_possible),
        HISTORY_TEST(a_torn_record_of_the_taker_makes_the_proof_possible),
        HISTORY_TEST(a_refused_bind_met_the_socket_that_is_still_there),
        HISTORY_TEST(a_bind_that_went_well_shows_a_release_that_was_not_seen),
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
