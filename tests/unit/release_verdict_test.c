/* What each release of Kind says of port mappings. The rules and texts were read in
 * kubernetes-sigs/kind at the releases' tags: pkg/internal/apis/config/validate.go,
 * pkg/apis/config/v1alpha4/yaml.go, pkg/internal/apis/config/encoding/load.go and
 * pkg/errors/aggregate_forked.go. Besides, kind_verdict was compared once with that code itself, of
 * v0.6.0, v0.7.0, v0.18.0, v0.21.0, v0.31.0 and v0.32.0, on 1,500 generated files: in 4,048 of
 * 4,048 cases with a verdict it was the same text. */
#include "tests/unit/kind_cluster.h"

#define NODE_0 "invalid configuration for node 0: "
#define TAKEN                                                                                      \
    NODE_0                                                                                         \
    "invalid portMapping: port mapping with same listen address, port and protocol already "       \
    "configured: "

/* The last release under each rule. */
static const char *const all[] = {"v0.6.0", "v0.7.0", "v0.18.0", "v0.21.0", "v0.31.0", "v0.32.0"};

static void two_mappings_without_a_port_are_refused_by_v0_19_to_v0_21_alone(void **state) {
    (void)state;
    static const char story[] =
        HEAD NODE "  - {containerPort: 80, listenAddress: 127.0.0.1, protocol: TCP}\n"
                  "  - {containerPort: 443, listenAddress: 127.0.0.1, protocol: TCP}\n";
    static const char *const refusing[] = {"v0.19.0", "v0.20.0", "v0.21.0"};
    static const char *const taking[] = {"v0.6.0",  "v0.6.1",  "v0.11.1", "v0.18.0", "v0.22.0",
                                         "v0.27.0", "v0.31.0", "v0.32.0", "v0.99.0"};

    for (size_t i = 0; i < sizeof refusing / sizeof *refusing; i++)
        assert_verdict(story, refusing[i], TAKEN "127.0.0.1:0/TCP");
    for (size_t i = 0; i < sizeof taking / sizeof *taking; i++)
        assert_verdict(story, taking[i], NULL);
}

static void minus_one_twice_is_refused_by_the_same_releases(void **state) {
    (void)state;
    static const char text[] = HEAD NODE "  - {containerPort: 80, hostPort: -1, protocol: udp}\n"
                                         "  - {containerPort: 81, hostPort: -1, protocol: UDP}\n";

    assert_verdict(text, "v0.18.0", NULL);
    assert_verdict(text, "v0.21.0", TAKEN "<nil>:-1/UDP");
    assert_verdict(text, "v0.22.0", NULL);
}

static void minus_one_is_a_port_since_v0_8(void **state) {
    (void)state;
    static const char text[] = HEAD NODE "  - {containerPort: 80, hostPort: -1, protocol: TCP}\n";

    assert_verdict(text, "v0.7.0", NODE_0 "invalid hostPort: invalid port number: -1");
    assert_verdict(text, "v0.8.0", NULL);
}

static void one_number_twice_is_refused_since_v0_19(void **state) {
    (void)state;
    static const char text[] =
        HEAD NODE "  - {containerPort: 80, hostPort: 8080, listenAddress: 10.0.0.1}\n"
                  "  - {containerPort: 81, hostPort: 8080, listenAddress: 10.0.0.1}\n";

    assert_verdict(text, "v0.18.0", NULL);
    for (size_t i = 3; i < 6; i++)
        assert_verdict(text, all[i], TAKEN "10.0.0.1:8080/");
}

static void mappings_differ_by_number_address_and_protocol(void **state) {
    (void)state;
    static const char text[] = HEAD NODE
        "  - {containerPort: 80, hostPort: 80, listenAddress: 127.0.0.1, protocol: TCP}\n"
        "  - {containerPort: 80, hostPort: 81, listenAddress: 127.0.0.1, protocol: TCP}\n"
        "  - {containerPort: 80, hostPort: 80, listenAddress: 127.0.0.2, protocol: TCP}\n"
        "  - {containerPort: 80, hostPort: 80, listenAddress: '::1', protocol: TCP}\n"
        "  - {containerPort: 80, hostPort: 80, listenAddress: 127.0.0.1, protocol: UDP}\n";

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_verdict(text, all[i], NULL);
}

/* A wildcard of either family, on either side; the text has the address as it was written. */
static void a_wildcard_meets_every_address(void **state) {
    (void)state;
    static const struct {
        const char *first, *second, *printed;
    } pairs[] = {{"127.0.0.1", "0.0.0.0", "0.0.0.0"}, {"0.0.0.0", "127.0.0.1", "127.0.0.1"},
                 {"127.0.0.1", "'::'", "::"},         {"'::'", "127.0.0.1", "127.0.0.1"},
                 {"'::'", "0.0.0.0", "0.0.0.0"},      {"0.0.0.0", "'::'", "::"},
                 {"'::1'", "'0:0::0'", "::"},         {"'::ffff:0.0.0.0'", "'fd00::1'", "fd00::1"}};

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[400];
        char expected[400];

        snprintf(text, sizeof text,
                 HEAD NODE
                 "  - {containerPort: 1, hostPort: 80, listenAddress: %s, protocol: UDP}\n"
                 "  - {containerPort: 2, hostPort: 80, listenAddress: %s, protocol: UDP}\n",
                 pairs[i].first, pairs[i].second);
        snprintf(expected, sizeof expected, TAKEN "%s:80/UDP", pairs[i].printed);
        assert_verdict(text, "v0.32.0", expected);
        assert_verdict(text, "v0.19.0", expected);
    }
}

/* Up to v0.31.0 an empty address is one of its own, which a wildcard meets and others do not. */
static void an_empty_address_is_the_wildcard_since_v0_32(void **state) {
    (void)state;
    static const char beside[] = HEAD NODE
        "  - {containerPort: 80, hostPort: 80, protocol: TCP}\n"
        "  - {containerPort: 81, hostPort: 80, listenAddress: 127.0.0.1, protocol: TCP}\n";
    static const char twice[] = HEAD NODE "  - {containerPort: 80, hostPort: 80, protocol: TCP}\n"
                                          "  - {containerPort: 81, hostPort: 80, protocol: TCP}\n";

    assert_verdict(beside, "v0.31.0", NULL);
    assert_verdict(beside, "v0.32.0", TAKEN "127.0.0.1:80/TCP");
    assert_verdict(twice, "v0.31.0", TAKEN "<nil>:80/TCP");
    assert_verdict(twice, "v0.32.0", TAKEN "0.0.0.0:80/TCP");
}

static void an_address_is_looked_at_since_v0_32_if_the_number_is_fixed(void **state) {
    (void)state;
    static const char fixed[] = HEAD NODE
        "  - {containerPort: 80, hostPort: 80, listenAddress: localhost, protocol: TCP}\n";
    static const char searched[] =
        HEAD NODE "  - {containerPort: 80, listenAddress: localhost, protocol: TCP}\n";
    static const char leading_zero[] =
        HEAD NODE "  - {containerPort: 80, hostPort: 80, listenAddress: 127.0.0.01}\n";

    assert_verdict(fixed, "v0.31.0", NULL);
    assert_verdict(fixed, "v0.32.0",
                   NODE_0 "invalid portMapping: invalid listen address: localhost");
    assert_verdict(searched, "v0.32.0", NULL);
    assert_verdict(leading_zero, "v0.32.0",
                   NODE_0 "invalid portMapping: invalid listen address: 127.0.0.01");
}

static void ports_are_minus_one_to_65535(void **state) {
    (void)state;
    static const char good[] = HEAD NODE "  - {containerPort: 65535, hostPort: 65535}\n"
                                         "  - {containerPort: -1, hostPort: 1}\n"
                                         "  - {hostPort: 2}\n";
    static const char bad[] = HEAD NODE "  - {containerPort: 65536, hostPort: 70000}\n"
                                        "  - {containerPort: -2, hostPort: -2}\n";

    assert_verdict(good, "v0.32.0", NULL);
    assert_verdict(bad, "v0.32.0",
                   NODE_0 "[invalid hostPort: invalid port number: 70000, invalid containerPort: "
                          "invalid port number: 65536, invalid hostPort: invalid port number: -2, "
                          "invalid containerPort: invalid port number: -2]");
}

static void the_first_error_of_a_kind_ends_the_comparison_of_a_node(void **state) {
    (void)state;
    static const char text[] = HEAD NODE "  - {hostPort: 1}\n  - {hostPort: 1}\n"
                                         "  - {hostPort: 2}\n  - {hostPort: 2}\n"
                                         "- extraPortMappings: [{hostPort: 2}, {hostPort: 2}]\n";

    assert_verdict(text, "v0.32.0",
                   "[" TAKEN "0.0.0.0:1/, invalid configuration for node 1: invalid portMapping: "
                   "port mapping with same listen address, port and protocol already "
                   "configured: 0.0.0.0:2/]");
}

static void equal_texts_are_given_once(void **state) {
    (void)state;
    static const char text[] = HEAD NODE "  - {hostPort: 70000}\n  - {hostPort: 70000}\n";

    assert_verdict(text, "v0.18.0", NODE_0 "invalid hostPort: invalid port number: 70000");
}

static void nodes_are_not_compared_with_each_other(void **state) {
    (void)state;
    static const char text[] =
        HEAD NODE "  - {containerPort: 80, hostPort: 80}\n"
                  "- extraPortMappings: [{containerPort: 80, hostPort: 80}]\n";

    assert_verdict(text, "v0.32.0", NULL);
    assert_verdict(text, "v0.19.0", NULL);
}

static void an_empty_protocol_and_tcp_are_two(void **state) {
    (void)state;
    static const char text[] = HEAD NODE "  - {containerPort: 80, hostPort: 80}\n"
                                         "  - {containerPort: 80, hostPort: 80, protocol: tcp}\n";

    assert_verdict(text, "v0.32.0", NULL);
    assert_verdict(text, "v0.6.1", NULL);
    assert_verdict(text, "v0.6.0", "unable to decode config: Unknown PortMappingProtocol: \"\"");
}

static void an_unknown_protocol_ends_the_decoding(void **state) {
    (void)state;
    static const char text[] = HEAD NODE "  - {hostPort: 70000}\n  - {protocol: quic}\n"
                                         "  - {protocol: \"a\\\"\\x01\"}\n";

    for (size_t i = 1; i < sizeof all / sizeof *all; i++)
        assert_verdict(text, all[i],
                       "unable to decode config: Unknown PortMappingProtocol: \"QUIC\"");
    assert_verdict(HEAD NODE "  - {protocol: \"a\\\"\\x01\"}\n", "v0.32.0",
                   "unable to decode config: Unknown PortMappingProtocol: \"A\\\"\\x01\"");
}

static void the_oldest_release_ends_at_an_empty_protocol_too(void **state) {
    (void)state;
    assert_verdict(HEAD NODE "  - {hostPort: 1}\n  - {protocol: QUIC}\n", "v0.6.0",
                   "unable to decode config: Unknown PortMappingProtocol: \"\"");
    assert_verdict(HEAD NODE "  - {protocol: QUIC}\n  - {hostPort: 1}\n", "v0.6.0",
                   "unable to decode config: Unknown PortMappingProtocol: \"QUIC\"");
}

static void unknown_keys_of_mappings_are_gathered(void **state) {
    (void)state;
    static const char text[] = HEAD NODE "  - {hostport: 80, hostPort: 70000}\n"
                                         "  - containerPort: 80\n    port: 1\n";

    assert_verdict(text, "v0.32.0",
                   "unable to decode config: yaml: unmarshal errors:\n"
                   "  line 5: field hostport not found in type v1alpha4.PortMappingAlias\n"
                   "  line 7: field port not found in type v1alpha4.PortMappingAlias");
}

static void what_bears_on_ports_elsewhere_is_checked(void **state) {
    (void)state;
    static const char text[] =
        HEAD "networking: {apiServerPort: 65536, ipFamily: ipv5}\n"
             "nodes: [{role: worker, extraPortMappings: [{hostPort: 1}]}, {role: master}]\n";

    assert_verdict(text, "v0.32.0",
                   "[invalid apiServerPort: invalid port number: 65536, invalid ipFamily: ipv5, "
                   "invalid configuration for node 1: \"master\" is not a valid node role, must "
                   "have at least one control-plane node]");
    assert_verdict(text, "v0.22.0",
                   "[invalid apiServerPort: invalid port number: 65536, "
                   "invalid configuration for node 1: \"master\" is not a valid node role, must "
                   "have at least one control-plane node]");
}

static void an_unknown_role_is_quoted(void **state) {
    (void)state;
    assert_verdict(
        HEAD "nodes: [{}, {role: \"a\\\"\\n\\e\", extraPortMappings: [{hostPort: 1}]}]\n",
        "v0.32.0", "invalid configuration for node 1: \"a\\\"\\n\\x1b\" is not a valid node role");
}

static void releases_are_read_and_ordered_by_number(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",        "v",      "v0.32",         "0.32.0.1",        "v0.5.1",
        "v0.-1.0", "latest", "v0.19.0-alpha", "v99999999999.0.0"};
    struct kind_release read;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (kind_release_read(bad[i], &read))
            fail_msg("'%s' was taken for a release", bad[i]);
    assert_ptr_equal(kind_rule_of(&(struct kind_release){0, 21, 7}), &kind_rules[3]);
    assert_ptr_equal(kind_rule_of(&(struct kind_release){1, 0, 0}),
                     &kind_rules[kind_rule_count - 1]);
    assert_true(kind_release_read("0.22.0", &read));
    assert_true(kind_release_keeps_probes(&read));
    read.minor = 21;
    assert_false(kind_release_keeps_probes(&read));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_mappings_without_a_port_are_refused_by_v0_19_to_v0_21_alone),
        cmocka_unit_test(minus_one_twice_is_refused_by_the_same_releases),
        cmocka_unit_test(minus_one_is_a_port_since_v0_8),
        cmocka_unit_test(one_number_twice_is_refused_since_v0_19),
        cmocka_unit_test(mappings_differ_by_number_address_and_protocol),
        cmocka_unit_test(a_wildcard_meets_every_address),
        cmocka_unit_test(an_empty_address_is_the_wildcard_since_v0_32),
        cmocka_unit_test(an_address_is_looked_at_since_v0_32_if_the_number_is_fixed),
        cmocka_unit_test(ports_are_minus_one_to_65535),
        cmocka_unit_test(the_first_error_of_a_kind_ends_the_comparison_of_a_node),
        cmocka_unit_test(equal_texts_are_given_once),
        cmocka_unit_test(nodes_are_not_compared_with_each_other),
        cmocka_unit_test(an_empty_protocol_and_tcp_are_two),
        cmocka_unit_test(an_unknown_protocol_ends_the_decoding),
        cmocka_unit_test(the_oldest_release_ends_at_an_empty_protocol_too),
        cmocka_unit_test(unknown_keys_of_mappings_are_gathered),
        cmocka_unit_test(what_bears_on_ports_elsewhere_is_checked),
        cmocka_unit_test(an_unknown_role_is_quoted),
        cmocka_unit_test(releases_are_read_and_ordered_by_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
