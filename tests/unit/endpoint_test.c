/* Which sockets meet: the rules of bind(2) by address, as ipv6(7) has them for both families. */
#include "harness/base/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

static struct endpoint v4(const char *address) {
    struct endpoint endpoint = {.port = 80, .protocol = IPPROTO_TCP};
    struct in_addr bytes;

    assert_int_equal(inet_pton(AF_INET, address, &bytes), 1);
    endpoint_set_address(&endpoint, AF_INET, &bytes);
    return endpoint;
}

static struct endpoint v6(const char *address) {
    struct endpoint endpoint = {.port = 80, .protocol = IPPROTO_TCP};
    struct in6_addr bytes;

    assert_int_equal(inet_pton(AF_INET6, address, &bytes), 1);
    endpoint_set_address(&endpoint, AF_INET6, &bytes);
    return endpoint;
}

static struct endpoint v6only(const char *address) {
    struct endpoint endpoint = v6(address);

    endpoint.v6only = true;
    return endpoint;
}

static struct endpoint scoped(const char *address, uint32_t scope) {
    struct endpoint endpoint = v6(address);

    endpoint.scope = scope;
    return endpoint;
}

/* Whoever comes first, the answer is the same. */
static void assert_meet(struct endpoint one, struct endpoint other, bool meet) {
    assert_int_equal(endpoint_addresses_overlap(&one, &other), meet);
    assert_int_equal(endpoint_addresses_overlap(&other, &one), meet);
    assert_int_equal(endpoints_overlap(&one, &other), meet);
    assert_int_equal(endpoints_overlap(&other, &one), meet);
}

static void equal_addresses_of_one_family_meet_and_others_do_not(void **state) {
    (void)state;
    assert_meet(v4("127.0.0.1"), v4("127.0.0.1"), true);
    assert_meet(v4("127.0.0.1"), v4("127.0.0.2"), false);
    assert_meet(v6("::1"), v6("::1"), true);
    assert_meet(v6("::1"), v6("::2"), false);
    assert_meet(v6("2001:db8::1"), v6("2001:db8:1::1"), false);
}

static void a_wildcard_meets_every_address_of_its_family(void **state) {
    (void)state;
    assert_meet(v4("0.0.0.0"), v4("127.0.0.1"), true);
    assert_meet(v4("0.0.0.0"), v4("0.0.0.0"), true);
    assert_meet(v6("::"), v6("::1"), true);
    assert_meet(v6("::"), v6("::"), true);
    assert_meet(v6only("::"), v6("::1"), true);
}

static void a_wildcard_of_v4_meets_no_address_of_v6(void **state) {
    (void)state;
    assert_meet(v4("0.0.0.0"), v6("::1"), false);
    assert_meet(v4("127.0.0.1"), v6("::1"), false);
}

static void a_dual_stack_wildcard_meets_v4_too(void **state) {
    (void)state;
    assert_meet(v6("::"), v4("127.0.0.1"), true);
    assert_meet(v6("::"), v4("0.0.0.0"), true);
}

static void a_v6only_wildcard_meets_no_v4(void **state) {
    (void)state;
    assert_meet(v6only("::"), v4("127.0.0.1"), false);
    assert_meet(v6only("::"), v4("0.0.0.0"), false);
}

static void a_v6only_wildcard_meets_the_dual_stack_one(void **state) {
    (void)state;
    assert_meet(v6only("::"), v6("::"), true);
    assert_meet(v6only("::"), v6only("::"), true);
}

static void a_mapped_address_is_the_v4_address_that_it_stands_for(void **state) {
    (void)state;
    assert_meet(v6("::ffff:127.0.0.1"), v4("127.0.0.1"), true);
    assert_meet(v6("::ffff:127.0.0.1"), v4("127.0.0.2"), false);
    assert_meet(v6("::ffff:127.0.0.1"), v4("0.0.0.0"), true);
    assert_meet(v6("::ffff:127.0.0.1"), v6("::1"), false);
    assert_meet(v6("::ffff:127.0.0.1"), v6("::"), true);
    assert_meet(v6("::ffff:127.0.0.1"), v6only("::"), false);
}

static void a_mapped_wildcard_is_the_wildcard_of_v4(void **state) {
    (void)state;
    assert_meet(v6("::ffff:0.0.0.0"), v4("127.0.0.1"), true);
    assert_meet(v6("::ffff:0.0.0.0"), v6("::1"), false);
    assert_meet(v6("::ffff:0.0.0.0"), v6only("::"), false);
}

static void a_link_local_address_is_another_one_on_every_link(void **state) {
    (void)state;
    assert_meet(scoped("fe80::1", 2), scoped("fe80::1", 2), true);
    assert_meet(scoped("fe80::1", 2), scoped("fe80::1", 3), false);
    assert_meet(scoped("fe80::1", 2), v6("::"), true);
}

static void the_wildcards_are_three(void **state) {
    (void)state;
    const struct endpoint wild[] = {v4("0.0.0.0"), v6("::"), v6("::ffff:0.0.0.0"), v6only("::")};
    const struct endpoint others[] = {v4("127.0.0.1"), v6("::1"), v6("::ffff:127.0.0.1"),
                                      v4("0.0.0.1"),   v6("1::"), v6("::ffff:0:0:0")};

    for (size_t i = 0; i < sizeof wild / sizeof *wild; i++)
        assert_true(endpoint_is_wildcard(&wild[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(endpoint_is_wildcard(&others[i]));
}

static void another_port_is_no_overlap_though_the_addresses_meet(void **state) {
    (void)state;
    struct endpoint one = v4("127.0.0.1");
    struct endpoint other = one;

    other.port = 81;
    assert_true(endpoint_addresses_overlap(&one, &other));
    assert_false(endpoints_overlap(&one, &other));
}

static void protocols_have_ports_of_their_own(void **state) {
    (void)state;
    struct endpoint one = v4("127.0.0.1");
    struct endpoint other = one;

    other.protocol = IPPROTO_UDP;
    assert_true(endpoint_addresses_overlap(&one, &other));
    assert_false(endpoints_overlap(&one, &other));
}

static void endpoints_are_equal_only_where_everything_is(void **state) {
    (void)state;
    const struct endpoint one = v6("::1");
    struct endpoint others[6];

    assert_true(endpoints_equal(&one, &one));
    for (size_t i = 0; i < 6; i++)
        others[i] = one;
    others[0].protocol = IPPROTO_UDP;
    others[1].port = 81;
    others[2].family = AF_INET;
    others[3].v6only = true;
    others[4].scope = 2;
    others[5].address[0] = 1;
    for (size_t i = 0; i < 6; i++)
        if (endpoints_equal(&one, &others[i]))
            fail_msg("number %zu is equal", i);
}

static void a_mapped_address_is_not_equal_to_its_v4_address(void **state) {
    (void)state;
    const struct endpoint mapped = v6("::ffff:127.0.0.1");
    const struct endpoint plain = v4("127.0.0.1");

    assert_memory_equal(mapped.address, plain.address, 16);
    assert_false(endpoints_equal(&mapped, &plain));
}

/* There and back again; what a socket address does not hold stays. */
static void assert_survives(struct endpoint endpoint, socklen_t length) {
    struct sockaddr_storage address;
    struct endpoint back = {.scope = 99, .protocol = endpoint.protocol, .v6only = endpoint.v6only};

    assert_int_equal(endpoint_to_socket_address(&endpoint, &address), length);
    endpoint_from_socket_address(&back, &address);
    assert_true(endpoints_equal(&endpoint, &back));
}

static void a_socket_address_carries_an_endpoint_there_and_back(void **state) {
    (void)state;
    struct endpoint udp = v6only("2001:db8::1");

    udp.protocol = IPPROTO_UDP;
    assert_survives(v4("127.0.0.1"), sizeof(struct sockaddr_in));
    assert_survives(v6("::ffff:127.0.0.1"), sizeof(struct sockaddr_in6));
    assert_survives(scoped("fe80::1", 7), sizeof(struct sockaddr_in6));
    assert_survives(udp, sizeof(struct sockaddr_in6));
}

static void a_socket_address_is_what_bind_takes(void **state) {
    (void)state;
    const struct endpoint one = v4("127.0.0.1");
    const struct endpoint six = scoped("fe80::1", 7);
    struct sockaddr_storage address;

    endpoint_to_socket_address(&one, &address);
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address;
    assert_int_equal(in->sin_family, AF_INET);
    assert_int_equal(in->sin_port, htons(80));
    assert_int_equal(in->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    endpoint_to_socket_address(&six, &address);
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address;
    assert_int_equal(in6->sin6_family, AF_INET6);
    assert_int_equal(in6->sin6_port, htons(80));
    assert_int_equal(in6->sin6_scope_id, 7);
    assert_int_equal(in6->sin6_flowinfo, 0);
    assert_int_equal(in6->sin6_addr.s6_addr[15], 1);
}

static void assert_text(struct endpoint endpoint, const char *expected) {
    char text[ENDPOINT_TEXT_SIZE];

    assert_ptr_equal(endpoint_text(&endpoint, text), text);
    assert_string_equal(text, expected);
}

static void v6_stands_in_brackets_and_v4_does_not(void **state) {
    (void)state;
    struct endpoint udp = v6("::1");

    udp.protocol = IPPROTO_UDP;
    udp.port = 53;
    assert_text(v4("127.0.0.1"), "tcp 127.0.0.1:80");
    assert_text(v4("0.0.0.0"), "tcp 0.0.0.0:80");
    assert_text(udp, "udp [::1]:53");
    assert_text(v6("::ffff:10.0.0.1"), "tcp [::ffff:10.0.0.1]:80");
}

static void the_longest_text_has_room(void **state) {
    (void)state;
    struct endpoint endpoint = v6("1111:2222:3333:4444:5555:6666:7777:8888");

    endpoint.protocol = IPPROTO_SCTP;
    endpoint.port = 65535;
    assert_text(endpoint, "sctp [1111:2222:3333:4444:5555:6666:7777:8888]:65535");
}

static void a_protocol_that_has_no_ports_here_is_a_question_mark(void **state) {
    (void)state;
    assert_string_equal(endpoint_protocol_name(IPPROTO_TCP), "tcp");
    assert_string_equal(endpoint_protocol_name(IPPROTO_UDP), "udp");
    assert_string_equal(endpoint_protocol_name(IPPROTO_SCTP), "sctp");
    assert_string_equal(endpoint_protocol_name(0), "?");
    assert_string_equal(endpoint_protocol_name(IPPROTO_ICMP), "?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_addresses_of_one_family_meet_and_others_do_not),
        cmocka_unit_test(a_wildcard_meets_every_address_of_its_family),
        cmocka_unit_test(a_wildcard_of_v4_meets_no_address_of_v6),
        cmocka_unit_test(a_dual_stack_wildcard_meets_v4_too),
        cmocka_unit_test(a_v6only_wildcard_meets_no_v4),
        cmocka_unit_test(a_v6only_wildcard_meets_the_dual_stack_one),
        cmocka_unit_test(a_mapped_address_is_the_v4_address_that_it_stands_for),
        cmocka_unit_test(a_mapped_wildcard_is_the_wildcard_of_v4),
        cmocka_unit_test(a_link_local_address_is_another_one_on_every_link),
        cmocka_unit_test(the_wildcards_are_three),
        cmocka_unit_test(another_port_is_no_overlap_though_the_addresses_meet),
        cmocka_unit_test(protocols_have_ports_of_their_own),
        cmocka_unit_test(endpoints_are_equal_only_where_everything_is),
        cmocka_unit_test(a_mapped_address_is_not_equal_to_its_v4_address),
        cmocka_unit_test(a_socket_address_carries_an_endpoint_there_and_back),
        cmocka_unit_test(a_socket_address_is_what_bind_takes),
        cmocka_unit_test(v6_stands_in_brackets_and_v4_does_not),
        cmocka_unit_test(the_longest_text_has_room),
        cmocka_unit_test(a_protocol_that_has_no_ports_here_is_a_question_mark),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
