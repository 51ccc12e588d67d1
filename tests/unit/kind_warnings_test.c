/* What a plan warns of: that which Kind leaves unsaid, and the kernel or the runtime will say. */
#include "harness/kind/warnings.h"
#include "tests/unit/kind_cluster.h"

static struct host_facts facts;

static int set_facts(void **state) {
    (void)state;
    static struct listen_address addresses[1];

    addresses[0] = listen_address_parse("10.0.0.1");
    facts = (struct host_facts){.range_low = 32768,
                                .range_high = 60999,
                                .first_unprivileged = 1024,
                                .addresses = addresses,
                                .address_count = 1};
    facts.reserved[50000 / 8] = 1;
    facts.reserved[9000 / 8] = 1;
    return 0;
}

/* The warnings by the release, each as kind@mapping, must be these; each has a text and a fix. */
static void assert_warnings_by(const char *version, const char *text, const char *expected) {
    struct plan_input input = cluster(text);
    struct kind_release of = release(version);
    struct plan_warnings warnings = {0};
    char found[300] = "";

    plan_warnings_find(&input, &of, &facts, &warnings);
    for (size_t i = 0; i < warnings.count; i++) {
        const struct plan_warning *warning = &warnings.list[i];

        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s@%zu", i > 0 ? " " : "",
                 warning->kind, warning->mapping);
        assert_non_null(warning->text);
        assert_non_null(warning->fix);
    }
    if (strcmp(found, expected) != 0)
        fail_msg("'%s' instead of '%s' for\n%s", found, expected, text);
    plan_warnings_free(&warnings);
    plan_input_free(&input);
}

static void assert_warnings(const char *text, const char *expected) {
    assert_warnings_by("v0.32.0", text, expected);
}

static void a_good_file_is_not_warned_of(void **state) {
    (void)state;
    assert_warnings(
        HEAD NODE "  - {containerPort: 80, hostPort: 8080, listenAddress: 127.0.0.1}\n"
                  "  - {containerPort: 81, hostPort: 8080, listenAddress: 127.9.0.1}\n"
                  "  - {containerPort: 82, hostPort: 8080, listenAddress: 10.0.0.1}\n"
                  "  - {containerPort: 83, hostPort: 8080, protocol: udp}\n"
                  "  - {containerPort: 84}\n  - {containerPort: 85}\n"
                  "  - {containerPort: 86, hostPort: -1}\n  - {containerPort: 87, hostPort: -1}\n",
        "");
}

static void one_number_on_two_nodes_is_a_duplicate(void **state) {
    (void)state;
    assert_warnings(HEAD "nodes:\n- extraPortMappings: [{containerPort: 80, hostPort: 8080}]\n"
                         "- extraPortMappings:\n"
                         "  - {containerPort: 80, hostPort: 8080, listenAddress: 127.0.0.1}\n"
                         "  - {containerPort: 80, hostPort: 8081, listenAddress: 127.0.0.1}\n",
                    "duplicate@1");
}

/* Where Kind's rule of the release refuses the pair, its verdict says so. */
static void within_a_node_a_duplicate_is_reported_where_kind_is_silent(void **state) {
    (void)state;
    static const char text[] = HEAD NODE "  - {containerPort: 80, hostPort: 8080}\n"
                                         "  - {containerPort: 81, hostPort: 8080}\n";

    assert_warnings_by("v0.18.0", text, "duplicate@1");
    assert_warnings_by("v0.19.0", text, "");
    assert_warnings_by("v0.32.0", text, "");
}

static void an_empty_protocol_beside_tcp_is_reported(void **state) {
    (void)state;
    assert_warnings(HEAD NODE "  - {containerPort: 80, hostPort: 8080}\n"
                              "  - {containerPort: 81, hostPort: 8080, protocol: tcp}\n"
                              "  - {containerPort: 82, hostPort: 8080, protocol: udp}\n",
                    "empty-protocol@1");
}

static void a_dual_stack_wildcard_beside_an_ipv4_address_is_reported(void **state) {
    (void)state;
    assert_warnings(HEAD "nodes:\n- extraPortMappings:\n"
                         "  - {containerPort: 80, hostPort: 8080, listenAddress: '::'}\n"
                         "- extraPortMappings:\n"
                         "  - {containerPort: 80, hostPort: 8080, listenAddress: 127.0.0.1}\n",
                    "dual-stack@1");
    assert_warnings(HEAD "nodes:\n- extraPortMappings:\n"
                         "  - {containerPort: 80, hostPort: 8080, listenAddress: 0.0.0.0}\n"
                         "- extraPortMappings:\n"
                         "  - {containerPort: 80, hostPort: 8080, listenAddress: '::'}\n",
                    "dual-stack@1");
}

static void a_number_in_the_local_range_is_reported_unless_it_is_reserved(void **state) {
    (void)state;
    assert_warnings(HEAD NODE "  - {containerPort: 80, hostPort: 32767}\n"
                              "  - {containerPort: 80, hostPort: 32768}\n"
                              "  - {containerPort: 80, hostPort: 60999}\n"
                              "  - {containerPort: 80, hostPort: 61000}\n"
                              "  - {containerPort: 80, hostPort: 50000}\n"
                              "  - {containerPort: 80, hostPort: 9000}\n",
                    "local-range@1 local-range@2 reserved@4 reserved@5");
}

static void a_privileged_number_is_reported(void **state) {
    (void)state;
    assert_warnings(HEAD NODE "  - {containerPort: 80, hostPort: 1023}\n"
                              "  - {containerPort: 80, hostPort: 1024}\n",
                    "privileged@0");
    facts.first_unprivileged = 0;
    assert_warnings(HEAD NODE "  - {containerPort: 80, hostPort: 80}\n", "");
}

static void an_address_that_is_not_local_is_reported(void **state) {
    (void)state;
    static const char text[] =
        HEAD NODE "  - {containerPort: 80, hostPort: 8080, listenAddress: 10.0.0.2}\n"
                  "  - {containerPort: 80, listenAddress: 'fd00::1'}\n";

    assert_warnings(text, "not-local@0 not-local@1");
    facts.address_count = 0;
    assert_warnings(text, "");
}

static void an_address_that_is_none_is_reported_where_kind_does_not_look(void **state) {
    (void)state;
    static const char text[] =
        HEAD NODE "  - {containerPort: 80, hostPort: 8080, listenAddress: localhost}\n"
                  "  - {containerPort: 80, listenAddress: localhost}\n";

    assert_warnings_by("v0.31.0", text, "no-address@0 no-address@1");
    assert_warnings_by("v0.32.0", text, "no-address@1");
}

static void the_api_servers_own_port_is_reported(void **state) {
    (void)state;
    assert_warnings(HEAD "networking: {apiServerPort: 6443, apiServerAddress: 127.0.0.1}\n" NODE
                         "  - {containerPort: 80, hostPort: 6443}\n"
                         "  - {containerPort: 80, hostPort: 6443, protocol: udp}\n"
                         "  - {containerPort: 80, hostPort: 6443, listenAddress: 10.0.0.1, "
                         "protocol: sctp}\n",
                    "api-server@0");
    assert_warnings(HEAD "networking: {apiServerPort: 6443}\n" NODE
                         "  - {containerPort: 80, hostPort: 6443, listenAddress: 10.0.0.1}\n",
                    "");
}

static void a_container_port_that_is_none_is_reported(void **state) {
    (void)state;
    assert_warnings(HEAD NODE "  - {hostPort: 8080}\n  - {containerPort: -1, hostPort: 8081}\n",
                    "container-port@0 container-port@1");
}

static void compose_files_are_warned_of_over_their_services(void **state) {
    (void)state;
    assert_warnings(
        "services:\n"
        "  a: {ports: [\"8080:80\", \"8000-8010:90\", \"7000-7002:1-3\"]}\n"
        "  b: {ports: [\"127.0.0.1:8080:80\", \"8005:90\", \"7002:1\", \"8080:1/udp\"]}\n",
        "duplicate@3 duplicate@5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_good_file_is_not_warned_of, set_facts),
        cmocka_unit_test_setup(one_number_on_two_nodes_is_a_duplicate, set_facts),
        cmocka_unit_test_setup(within_a_node_a_duplicate_is_reported_where_kind_is_silent,
                               set_facts),
        cmocka_unit_test_setup(an_empty_protocol_beside_tcp_is_reported, set_facts),
        cmocka_unit_test_setup(a_dual_stack_wildcard_beside_an_ipv4_address_is_reported, set_facts),
        cmocka_unit_test_setup(a_number_in_the_local_range_is_reported_unless_it_is_reserved,
                               set_facts),
        cmocka_unit_test_setup(a_privileged_number_is_reported, set_facts),
        cmocka_unit_test_setup(an_address_that_is_not_local_is_reported, set_facts),
        cmocka_unit_test_setup(an_address_that_is_none_is_reported_where_kind_does_not_look,
                               set_facts),
        cmocka_unit_test_setup(the_api_servers_own_port_is_reported, set_facts),
        cmocka_unit_test_setup(a_container_port_that_is_none_is_reported, set_facts),
        cmocka_unit_test_setup(compose_files_are_warned_of_over_their_services, set_facts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
