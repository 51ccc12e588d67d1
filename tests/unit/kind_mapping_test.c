/* What becomes of a mapping: the argument of each runtime, and to whom its number can be lost. The
 * arguments' forms were read in kubernetes-sigs/kind,
 * pkg/cluster/internal/providers/{docker,podman,nerdctl}/provision.go, and what -p takes in
 * docker/go-connections, nat/nat.go. */
#include "harness/kind/publish_spec.h"
#include "harness/kind/risk.h"
#include "tests/unit/kind_cluster.h"

static const struct host_facts no_facts;

static void assert_arguments(const char *text, const char *docker, const char *podman,
                             const char *nerdctl) {
    const char *const expected[] = {docker, podman, nerdctl};
    struct plan_input input = cluster(text);

    for (unsigned i = 0; i < RUNTIME_COUNT; i++) {
        char *argument = publish_argument(&input, &input.mappings[0], (enum container_runtime)i);

        assert_string_equal(argument, expected[i]);
        free(argument);
    }
    plan_input_free(&input);
}

static void a_fixed_number_is_handed_on(void **state) {
    (void)state;
    assert_arguments(HEAD NODE "  - {containerPort: 53, hostPort: 5353, protocol: udp}\n",
                     "--publish=0.0.0.0:5353:53/UDP", "--publish=0.0.0.0:5353:53/udp",
                     "--publish=0.0.0.0:5353:53/UDP");
}

static void minus_one_is_handed_on_as_0_or_to_podman_as_nothing(void **state) {
    (void)state;
    assert_arguments(HEAD NODE "  - {containerPort: 80, hostPort: -1, listenAddress: 127.0.0.1}\n",
                     "--publish=127.0.0.1:0:80/TCP", "--publish=127.0.0.1::80/tcp",
                     "--publish=127.0.0.1:0:80/TCP");
}

static void what_kind_searches_has_no_number_yet(void **state) {
    (void)state;
    assert_arguments(HEAD NODE "  - {containerPort: 80, listenAddress: 127.0.0.1}\n",
                     "--publish=127.0.0.1:<searched>:80/TCP",
                     "--publish=127.0.0.1:<searched>:80/tcp",
                     "--publish=127.0.0.1:<searched>:80/TCP");
}

static void an_ipv6_address_stands_in_brackets(void **state) {
    (void)state;
    assert_arguments(HEAD NODE "  - {containerPort: 80, hostPort: 1, listenAddress: '::1'}\n",
                     "--publish=[::1]:1:80/TCP", "--publish=[::1]:1:80/tcp",
                     "--publish=[::1]:1:80/TCP");
}

static void the_family_of_the_cluster_chooses_the_wildcard(void **state) {
    (void)state;
    assert_arguments(
        HEAD "networking: {ipFamily: ipv6}\n" NODE "  - {containerPort: 80, hostPort: -1}\n",
        "--publish=[::]:0:80/TCP", "--publish=[::]::80/tcp", "--publish=[::]:0:80/TCP");
    assert_arguments(
        HEAD "networking: {ipFamily: dual}\n" NODE "  - {containerPort: 80, hostPort: 1}\n",
        "--publish=0.0.0.0:1:80/TCP", "--publish=0.0.0.0:1:80/tcp", "--publish=0.0.0.0:1:80/TCP");
}

static void assert_spec(const char *spec, const char *address, int32_t host, int32_t host_last,
                        int32_t container, int32_t container_last, const char *protocol,
                        enum mapping_fate fate) {
    struct mapping mapping = {.source = SOURCE_PUBLISH};
    struct input_problem problem;

    if (!publish_spec_read(spec, &mapping, &problem))
        fail_msg("%s: %s", spec, problem.what);
    assert_string_equal(mapping.address, address);
    assert_string_equal(mapping.protocol, protocol);
    assert_int_equal(mapping.host_port, host);
    assert_int_equal(mapping.host_port_last, host_last);
    assert_int_equal(mapping.container_port, container);
    assert_int_equal(mapping.container_port_last, container_last);
    assert_int_equal(mapping_fate(&mapping), fate);
    free(mapping.address);
    free(mapping.protocol);
}

static void specifications_are_split_from_the_right(void **state) {
    (void)state;
    assert_spec("80", "", 0, 0, 80, 80, "", FATE_RUNTIME_PICKS);
    assert_spec("80/", "", 0, 0, 80, 80, "", FATE_RUNTIME_PICKS);
    assert_spec("8080:80", "", 8080, 8080, 80, 80, "", FATE_FIXED);
    assert_spec(":80", "", 0, 0, 80, 80, "", FATE_RUNTIME_PICKS);
    assert_spec("127.0.0.1::443", "127.0.0.1", 0, 0, 443, 443, "", FATE_RUNTIME_PICKS);
    assert_spec("[::1]:0:53/udp", "::1", 0, 0, 53, 53, "UDP", FATE_RUNTIME_PICKS);
    assert_spec("::1:53:53/Sctp", "::1", 53, 53, 53, 53, "SCTP", FATE_FIXED);
    assert_spec("8000-8010:80", "", 8000, 8010, 80, 80, "", FATE_FROM_RANGE);
    assert_spec("8000-8010:8000-8010/tcp", "", 8000, 8010, 8000, 8010, "TCP", FATE_FIXED);
    assert_spec("70-75", "", 0, 0, 70, 75, "", FATE_RUNTIME_PICKS);
}

static void bad_specifications_name_the_column(void **state) {
    (void)state;
    static const struct {
        const char *spec;
        size_t column;
        const char *what;
    } bad[] = {{"", 1, "container port"},
               {"8080:", 6, "container port"},
               {"8080:http", 6, "'http'"},
               {"8080:80-", 6, "'80-'"},
               {"x:80", 1, "invalid host port"},
               {"65536:80", 1, "invalid host port"},
               {"80:65536", 4, "container port"},
               {"90-80:1", 1, "invalid host port"},
               {"8000-8010:80-81", 1, "ranges differ in length"},
               {"8000:80-81", 1, "ranges differ in length"},
               {"80/quic", 4, "'quic'"},
               {"80/tcp/udp", 1, "'80/tcp'"},
               {"localhost:80:80", 1, "invalid IP address"},
               {"[::1:80:80", 1, "invalid IP address"},
               {"-1:80", 1, "invalid host port"},
               {"8080:0", 6, "container port"},
               {"8080: 80", 6, "container port"},
               {"99999999999999999999:80", 1, "invalid host port"}};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct mapping mapping = {0};
        struct input_problem problem;

        if (publish_spec_read(bad[i].spec, &mapping, &problem))
            fail_msg("'%s' was taken", bad[i].spec);
        if (problem.column != bad[i].column || strstr(problem.what, bad[i].what) == NULL)
            fail_msg("'%s': column %zu: %s", bad[i].spec, problem.column, problem.what);
    }
}

/* Has the risk of the file's first mapping the part (or, with NULL, is there none)? */
static bool risk_says(const char *text, const char *version, enum container_runtime runtime,
                      const struct host_facts *facts, const char *part) {
    struct plan_input input = cluster(text);
    struct kind_release of = release(version);
    char *risk = mapping_risk(&input, &input.mappings[0], &of, runtime, facts);
    bool says = part == NULL ? risk == NULL : risk != NULL && strstr(risk, part) != NULL;

    free(risk);
    plan_input_free(&input);
    return says;
}

static void what_kind_searches_is_lost_between_probe_and_bind(void **state) {
    (void)state;
    static const char alone[] = HEAD NODE "  - {containerPort: 80}\n";
    static const char nodes[] = HEAD NODE "  - {containerPort: 80}\n- role: worker\n";

    assert_true(risk_says(alone, "v0.32.0", RUNTIME_DOCKER, &no_facts, "Kind's probe"));
    assert_false(risk_says(alone, "v0.32.0", RUNTIME_DOCKER, &no_facts, "another node"));
    assert_true(risk_says(nodes, "v0.32.0", RUNTIME_DOCKER, &no_facts, "another node"));
}

/* A control plane has the API server's probe as well, unless its port is fixed. */
static void before_v0_22_a_node_can_lose_to_itself(void **state) {
    (void)state;
    static const char api[] = HEAD NODE "  - {containerPort: 80}\n";
    static const char fixed_api[] =
        HEAD "networking: {apiServerPort: 6443}\n" NODE "  - {containerPort: 80}\n";
    static const char two[] = HEAD "networking: {apiServerPort: 6443}\n" NODE
                                   "  - {containerPort: 80}\n  - {containerPort: 81}\n";
    static const char part[] = "another mapping of this node";

    assert_true(risk_says(api, "v0.21.0", RUNTIME_PODMAN, &no_facts, part));
    assert_false(risk_says(fixed_api, "v0.21.0", RUNTIME_PODMAN, &no_facts, part));
    assert_true(risk_says(two, "v0.21.0", RUNTIME_PODMAN, &no_facts, part));
    assert_false(risk_says(two, "v0.22.0", RUNTIME_PODMAN, &no_facts, part));
}

static void the_probe_over_tcp_does_not_see_udp_and_sctp(void **state) {
    (void)state;
    assert_true(risk_says(HEAD NODE "  - {containerPort: 80, protocol: udp}\n", "v0.32.0",
                          RUNTIME_DOCKER, &no_facts, "over UDP goes unnoticed"));
    assert_true(risk_says(HEAD NODE "  - {containerPort: 80, protocol: sctp}\n", "v0.32.0",
                          RUNTIME_DOCKER, &no_facts, "over SCTP goes unnoticed"));
    assert_false(risk_says(HEAD NODE "  - {containerPort: 80, protocol: tcp}\n", "v0.32.0",
                           RUNTIME_DOCKER, &no_facts, "unnoticed"));
}

static void docker_alone_picks_and_binds_in_one_step(void **state) {
    (void)state;
    static const char text[] = HEAD NODE "  - {containerPort: 80, hostPort: -1}\n";

    assert_true(risk_says(text, "v0.32.0", RUNTIME_DOCKER, &no_facts, NULL));
    assert_true(risk_says(text, "v0.32.0", RUNTIME_PODMAN, &no_facts, "created"));
    assert_true(risk_says(text, "v0.32.0", RUNTIME_NERDCTL, &no_facts, "/proc/net"));
}

static void a_fixed_number_in_the_local_range_is_lost_to_connections_too(void **state) {
    (void)state;
    static const char text[] = HEAD NODE "  - {containerPort: 80, hostPort: 40000}\n";
    static struct host_facts facts = {.range_low = 40000, .range_high = 40001};

    assert_true(risk_says(text, "v0.32.0", RUNTIME_DOCKER, &facts, "outgoing connection"));
    facts.reserved[40000 / 8] = 1;
    assert_false(risk_says(text, "v0.32.0", RUNTIME_DOCKER, &facts, "outgoing connection"));
    assert_true(risk_says(text, "v0.32.0", RUNTIME_DOCKER, &no_facts, "whoever binds it first"));
    assert_false(risk_says(text, "v0.32.0", RUNTIME_DOCKER, &no_facts, "outgoing connection"));
}

/* Kind checks such numbers; nothing here may count up to them. */
static void any_number_of_32_bits_has_a_risk(void **state) {
    (void)state;
    static const struct host_facts facts = {.range_low = 40000, .range_high = 40001};

    assert_true(risk_says(HEAD NODE "  - {containerPort: 80, hostPort: 2147483647}\n", "v0.32.0",
                          RUNTIME_DOCKER, &facts, "whoever"));
    assert_true(risk_says(HEAD NODE "  - {containerPort: 80, hostPort: -2147483648}\n", "v0.32.0",
                          RUNTIME_DOCKER, &facts, "whoever"));
}

/* As net.ParseIP and net.IP.String of golang/go do, src/net/netip and src/net/ip.go. */
static void addresses_are_read_and_printed_as_go_does(void **state) {
    (void)state;
    static const struct {
        const char *text, *printed;
    } addresses[] = {{"127.0.0.1", "127.0.0.1"},
                     {"::ffff:1.2.3.4", "1.2.3.4"},
                     {"::1.2.3.4", "::102:304"},
                     {"0:0:0:0:0:0:0:0", "::"},
                     {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
                     {"1:0:0:2:3:0:0:4", "1::2:3:0:0:4"},
                     {"1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"},
                     {"FE80::", "fe80::"},
                     {"2001:DB8::00A0", "2001:db8::a0"},
                     {"localhost", "<nil>"},
                     {"127.0.0.01", "<nil>"},
                     {"127.1", "<nil>"},
                     {"256.0.0.1", "<nil>"},
                     {"[::1]", "<nil>"},
                     {"fe80::1%lo", "<nil>"},
                     {"", "<nil>"}};

    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct listen_address address = listen_address_parse(addresses[i].text);
        char text[LISTEN_ADDRESS_TEXT_SIZE];

        assert_string_equal(listen_address_text(text, &address), addresses[i].printed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fixed_number_is_handed_on),
        cmocka_unit_test(minus_one_is_handed_on_as_0_or_to_podman_as_nothing),
        cmocka_unit_test(what_kind_searches_has_no_number_yet),
        cmocka_unit_test(an_ipv6_address_stands_in_brackets),
        cmocka_unit_test(the_family_of_the_cluster_chooses_the_wildcard),
        cmocka_unit_test(specifications_are_split_from_the_right),
        cmocka_unit_test(bad_specifications_name_the_column),
        cmocka_unit_test(what_kind_searches_is_lost_between_probe_and_bind),
        cmocka_unit_test(before_v0_22_a_node_can_lose_to_itself),
        cmocka_unit_test(the_probe_over_tcp_does_not_see_udp_and_sctp),
        cmocka_unit_test(docker_alone_picks_and_binds_in_one_step),
        cmocka_unit_test(a_fixed_number_in_the_local_range_is_lost_to_connections_too),
        cmocka_unit_test(any_number_of_32_bits_has_a_risk),
        cmocka_unit_test(addresses_are_read_and_printed_as_go_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
