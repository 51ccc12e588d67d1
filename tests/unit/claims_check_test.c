/* Which endpoints are in each other's way, what the claims check makes of it, and the allocator
 * that follows the same rule. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/storm/checks/claims_check.h"
#include "harness/storm/strategies/allocator.h"

static struct endpoint endpoint(unsigned protocol, const char *text, unsigned port) {
    struct endpoint made = {.protocol = (uint8_t)protocol, .port = (uint16_t)port};
    struct in6_addr v6;
    struct in_addr v4;
    if (inet_pton(AF_INET, text, &v4) == 1) {
        endpoint_set_address(&made, AF_INET, &v4);
        return made;
    }
    assert_int_equal(inet_pton(AF_INET6, text, &v6), 1);
    endpoint_set_address(&made, AF_INET6, &v6);
    return made;
}

static void wildcards_overlap_their_family_and_dual_stack_both(void **state) {
    (void)state;
    static const struct {
        const char *one;
        const char *other;
        bool overlap;
    } cases[] = {{"0.0.0.0", "127.0.0.1", true},
                 {"127.0.0.1", "127.0.0.1", true},
                 {"127.0.0.1", "127.0.0.2", false},
                 {"::", "127.0.0.1", true},
                 {"::", "::1", true},
                 {"::1", "127.0.0.1", false},
                 {"0.0.0.0", "::1", false},
                 {"::", "0.0.0.0", true}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct endpoint one = endpoint(IPPROTO_TCP, cases[i].one, 80);
        struct endpoint other = endpoint(IPPROTO_TCP, cases[i].other, 80);
        assert_int_equal(endpoints_overlap(&one, &other), cases[i].overlap);
        assert_int_equal(endpoints_overlap(&other, &one), cases[i].overlap);
        other.port = 81;
        assert_false(endpoints_overlap(&one, &other));
        other.port = 80;
        other.protocol = IPPROTO_UDP;
        assert_false(endpoints_overlap(&one, &other));
    }
    struct endpoint v6only = endpoint(IPPROTO_TCP, "::", 80);
    struct endpoint v4 = endpoint(IPPROTO_TCP, "0.0.0.0", 80);
    v6only.v6only = true;
    assert_false(endpoints_overlap(&v6only, &v4));
}

static void claims_that_overlap_collide_unless_sharing_is_lawful(void **state) {
    (void)state;
    struct announced list[] = {
        {.endpoint = endpoint(IPPROTO_UDP, "127.0.0.1", 5), .pid = 1},
        {.endpoint = endpoint(IPPROTO_UDP, "127.0.0.2", 5), .pid = 2},
        {.endpoint = endpoint(IPPROTO_TCP, "0.0.0.0", 5), .pid = 3},
        {.endpoint = endpoint(IPPROTO_UDP, "0.0.0.0", 5), .pid = 4},
    };
    struct announcements all = {.list = list, .count = 3};
    struct claims_result result = {0};
    struct verdict verdict = {0};
    claims_check(&all, &result, &verdict);
    assert_int_equal(result.collisions, 0);
    assert_int_equal(verdict.differences, 0);
    all.count = 4;
    claims_check(&all, &result, &verdict);
    assert_int_equal(result.collisions, 1);
    assert_int_equal(verdict.differences, 1);
    all.udp_may_share = true;
    result = (struct claims_result){0};
    claims_check(&all, &result, &verdict);
    assert_int_equal(result.collisions, 0);
    assert_int_equal(result.shared, 1);
}

static void the_allocator_goes_round_and_gives_nothing_twice(void **state) {
    (void)state;
    struct allocator *allocator = calloc(1, sizeof *allocator);
    struct endpoint any = endpoint(IPPROTO_TCP, "0.0.0.0", 0);
    struct endpoint one = endpoint(IPPROTO_TCP, "127.0.0.1", 0);
    struct endpoint two = endpoint(IPPROTO_TCP, "127.0.0.2", 0);
    assert_non_null(allocator);
    allocator_prepare(allocator);
    assert_int_equal(allocator_give(allocator, &any, 0, 10, 12), 10);
    assert_int_equal(allocator_give(allocator, &one, 1, 10, 12), 11);
    assert_int_equal(allocator_give(allocator, &two, 2, 10, 12), 11);
    allocator_take(allocator, &any, 10);
    /* The cursor goes on: what was released comes back last. */
    assert_int_equal(allocator_give(allocator, &any, 0, 10, 12), 12);
    assert_int_equal(allocator_give(allocator, &any, 0, 10, 12), 10);
    assert_int_equal(allocator_give(allocator, &any, 0, 10, 12), 0);
    allocator_forget(allocator, 1);
    assert_int_equal(allocator_give(allocator, &any, 0, 10, 12), 0);
    allocator_forget(allocator, 2);
    assert_int_equal(allocator_give(allocator, &any, 0, 10, 12), 11);
    free(allocator);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wildcards_overlap_their_family_and_dual_stack_both),
        cmocka_unit_test(claims_that_overlap_collide_unless_sharing_is_lawful),
        cmocka_unit_test(the_allocator_goes_round_and_gives_nothing_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
