/* What theory expects of lost races, against the birthday formula, cases that can be calculated by
 * hand, and the numbers that a simulation draws. */
#include <math.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/storm/expectation.h"

enum { TICKETS_MAX = 512 };

static struct attempt attempts[TICKETS_MAX];
static struct ticket tickets[TICKETS_MAX];
static struct port_range range;

static int set_up(void **state) {
    (void)state;
    memset(attempts, 0, sizeof attempts);
    memset(&range, 0, sizeof range);
    range.low = 20000;
    range.high = 21023;
    return 0;
}

static void ticket(unsigned index, unsigned protocol, uint64_t chosen, uint64_t bound) {
    struct attempt *attempt = &attempts[index];
    struct in_addr any = {0};
    attempt->endpoint.protocol = (uint8_t)protocol;
    endpoint_set_address(&attempt->endpoint, AF_INET, &any);
    attempt->probed = attempt->endpoint;
    attempt->endpoint.port = (uint16_t)(20000 + index);
    attempt->by_kernel = true;
    attempt->chosen_ns = chosen;
    attempt->bound_ns = bound;
    attempt->outcome = ATTEMPT_HELD;
    tickets[index] = (struct ticket){attempt, index};
}

static double mean_of(unsigned count) {
    struct expected expected = {0};
    expected_add_round(&expected, tickets, count, &range, false);
    return expected.mean;
}

static void all_choose_before_anyone_binds_is_the_birthday_problem(void **state) {
    (void)state;
    const unsigned protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
    for (unsigned i = 0; i < 2; i++) {
        double first = protocols[i] == IPPROTO_TCP ? 512 : 1024;
        for (unsigned j = 0; j < 100; j++)
            ticket(j, protocols[i], 1 + j, 1000 + j);
        double birthday = 100 - first * (1 - pow(1 - 1 / first, 100));
        assert_true(fabs(mean_of(100) - birthday) < 1e-9);
    }
}

static void windows_that_do_not_overlap_lose_nothing(void **state) {
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        ticket(i, IPPROTO_UDP, 10 * i + 1, 10 * i + 5);
    assert_true(mean_of(100) == 0);
}

static void other_protocols_and_addresses_are_not_in_the_way(void **state) {
    (void)state;
    const struct in_addr one = {htonl(0x7f000001)};
    const struct in_addr two = {htonl(0x7f000002)};
    ticket(0, IPPROTO_TCP, 1, 10);
    ticket(1, IPPROTO_UDP, 2, 11);
    assert_true(mean_of(2) == 0);
    ticket(1, IPPROTO_TCP, 2, 11);
    assert_true(fabs(mean_of(2) - 1.0 / 512) < 1e-12);
    endpoint_set_address(&attempts[0].endpoint, AF_INET, &one);
    attempts[0].probed = attempts[0].endpoint;
    assert_true(fabs(mean_of(2) - 1.0 / 512) < 1e-12);
    endpoint_set_address(&attempts[1].endpoint, AF_INET, &two);
    attempts[1].probed = attempts[1].endpoint;
    assert_true(mean_of(2) == 0);
}

static void a_publishers_own_numbers_can_be_apart(void **state) {
    (void)state;
    struct expected expected = {0};
    ticket(0, IPPROTO_TCP, 1, 10);
    ticket(1, IPPROTO_TCP, 2, 11);
    tickets[1].publisher = 0;
    expected_add_round(&expected, tickets, 2, &range, true);
    assert_true(expected.mean == 0);
}

static void which_numbers_came_and_what_failed_makes_no_difference(void **state) {
    (void)state;
    for (unsigned i = 0; i < 60; i++)
        ticket(i, IPPROTO_TCP, 1 + i, 40 + 2 * i);
    double before = mean_of(60);
    for (unsigned i = 0; i < 60; i += 3) {
        attempts[i].outcome = ATTEMPT_LOST;
        attempts[i].endpoint.port = 20001;
    }
    assert_true(before > 0 && mean_of(60) == before);
}

/* Draws numbers for the same windows from a range in which taken numbers are passed over at random,
 * as UDP does it. */
static double simulate(unsigned count, unsigned rounds) {
    double lost = 0;
    for (unsigned round = 0; round < rounds; round++) {
        unsigned number[TICKETS_MAX];
        bool taken[1024] = {false};
        for (uint64_t now = 0; now < 2000; now++)
            for (unsigned i = 0; i < count; i++) {
                if (attempts[i].chosen_ns == now) {
                    do
                        number[i] = (unsigned)(random() % 1024);
                    while (taken[number[i]]);
                }
                if (attempts[i].bound_ns == now) {
                    lost += taken[number[i]];
                    taken[number[i]] = true;
                }
            }
    }
    return lost / rounds;
}

static void it_agrees_with_a_simulation(void **state) {
    (void)state;
    srandom(4711);
    for (unsigned i = 0; i < 200; i++)
        ticket(i, IPPROTO_UDP, 1 + (uint64_t)random() % 1000, 0);
    for (unsigned i = 0; i < 200; i++)
        attempts[i].bound_ns = attempts[i].chosen_ns + 1 + (uint64_t)random() % 900;
    double mean = mean_of(200);
    double simulated = simulate(200, 400);
    assert_true(mean > 5);
    /* The mean of 400 rounds is off by sqrt(mean / 400) or so; five times that. */
    assert_true(fabs(mean - simulated) < 5 * sqrt(mean / 400));
}

static void intervals_leave_one_in_ten_thousand(void **state) {
    (void)state;
    struct expected_interval none = expected_interval(&(struct expected){0, 0});
    assert_true(none.low == 0 && none.high == 0);
    /* P(X > 24) = 4.7e-5, P(X > 23) = 1.1e-4 and P(X < 1) = 4.5e-5 for a mean of 10. */
    struct expected_interval ten = expected_interval(&(struct expected){10, 10});
    assert_true(ten.low == 1 && ten.high == 24);
    struct expected_interval many = expected_interval(&(struct expected){400, 400});
    assert_true(many.low < 400 - 77 && many.low > 400 - 82);
    assert_true(many.high > 400 + 77 && many.high < 400 + 82);
}

static void first_choices_follow_parity_and_the_half_range(void **state) {
    (void)state;
    assert_int_equal(port_range_size(&range), 1024);
    assert_int_equal(port_range_first_choice(&range, IPPROTO_UDP, false), 1024);
    assert_int_equal(port_range_first_choice(&range, IPPROTO_TCP, false), 512);
    assert_int_equal(port_range_first_choice(&range, IPPROTO_TCP, true), 256);
    port_range_reserve(&range, "20001,20003-20006,30000\n");
    assert_int_equal(port_range_size(&range), 1019);
    assert_int_equal(port_range_first_choice(&range, IPPROTO_TCP, false), 509);
    range.low = range.high = 20000;
    assert_int_equal(port_range_first_choice(&range, IPPROTO_TCP, false), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_choose_before_anyone_binds_is_the_birthday_problem, set_up),
        cmocka_unit_test_setup(windows_that_do_not_overlap_lose_nothing, set_up),
        cmocka_unit_test_setup(other_protocols_and_addresses_are_not_in_the_way, set_up),
        cmocka_unit_test_setup(a_publishers_own_numbers_can_be_apart, set_up),
        cmocka_unit_test_setup(which_numbers_came_and_what_failed_makes_no_difference, set_up),
        cmocka_unit_test_setup(it_agrees_with_a_simulation, set_up),
        cmocka_unit_test_setup(intervals_leave_one_in_ten_thousand, set_up),
        cmocka_unit_test_setup(first_choices_follow_parity_and_the_half_range, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
