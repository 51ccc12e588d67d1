/* What is read from cluster files and compose files, and where a bad one is wrong. How numbers,
 * null and merged keys are taken was read in go-yaml/yaml (v3: resolve.go, decode.go). */
#include "tests/unit/kind_cluster.h"

static void assert_host_port(const char *value, int32_t expected) {
    char text[300];
    struct plan_input input;

    snprintf(text, sizeof text, HEAD NODE "  - {containerPort: 80, hostPort: %s}\n", value);
    input = cluster(text);
    if (input.mappings[0].host_port != expected)
        fail_msg("hostPort: %s is %d", value, input.mappings[0].host_port);
    plan_input_free(&input);
}

static void numbers_are_read_as_go_reads_them(void **state) {
    (void)state;
    assert_host_port("80", 80);
    assert_host_port("+80", 80);
    assert_host_port("-1", -1);
    assert_host_port("0x50", 80);
    assert_host_port("0o120", 80);
    assert_host_port("0120", 80);
    assert_host_port("0b1010000", 80);
    assert_host_port("8_080", 8080);
    assert_host_port("08", 8); /* no octal number, so it is a fraction */
    assert_host_port("80.9", 80);
    assert_host_port("8e1", 80);
    assert_host_port("!!int \"80\"", 80);
    assert_host_port("null", 0);
    assert_host_port("~", 0);
    assert_host_port("", 0);
    assert_host_port("2147483647", INT32_MAX);
}

static void an_invalid_number_is_bad_with_its_place(void **state) {
    (void)state;
    static const char *const texts[] = {"http",     "'80'", "\"80\"", "80a", "0x",  "1e",
                                        "!!str 80", "--1",  "0x-1",   ".",   "- 1", "true"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[300];
        struct plan_input input = {0};
        struct input_problem problem;

        snprintf(text, sizeof text, HEAD NODE "  - hostPort: %s\n", texts[i]);
        if (cluster_file_read(text, strlen(text), &input, &problem))
            fail_msg("hostPort: %s was taken for %d", texts[i], input.mappings[0].host_port);
        assert_int_equal(problem.line, 5);
        assert_in_range(problem.column, 15, 17);
        plan_input_free(&input);
    }
    assert_bad(HEAD NODE "  - hostPort: http\n", 5, 15,
               "hostPort is a string, not a number: 'http'");
    assert_bad(HEAD NODE "  - hostPort: [80]\n", 5, 15, "hostPort is a list, not a number");
    assert_bad(HEAD NODE "  - hostPort: 99999999999\n", 5, 15, "32 bits");
    assert_bad(HEAD NODE "  - hostPort: 1e30\n", 5, 15, "32 bits");
}

static void nodes_and_mappings_keep_their_order_and_place(void **state) {
    (void)state;
    struct plan_input input = cluster(HEAD "nodes:\n"
                                           "- extraPortMappings:\n"
                                           "  - containerPort: 1\n"
                                           "    protocol: sctp\n"
                                           "- role: worker\n"
                                           "-\n"
                                           "- role: worker\n"
                                           "  image: left alone\n"
                                           "  extraPortMappings: [{containerPort: 2}, null, {}]\n");

    assert_int_equal(input.node_count, 3); /* a null in a list is none */
    assert_string_equal(input.nodes[0].name, "control-plane");
    assert_string_equal(input.nodes[1].name, "worker");
    assert_int_equal(input.count, 3);
    assert_int_equal(input.mappings[0].line, 5);
    assert_int_equal(input.mappings[0].column, 5);
    assert_string_equal(input.mappings[0].protocol, "SCTP");
    assert_int_equal(input.mappings[1].node, 2);
    assert_int_equal(input.mappings[1].index, 0);
    assert_int_equal(input.mappings[1].line, 11);
    assert_int_equal(input.mappings[1].column, 23);
    assert_int_equal(input.mappings[2].index, 1);
    assert_int_equal(input.mappings[2].container_port, 0);
    plan_input_free(&input);
}

static void aliases_and_merged_keys_are_followed(void **state) {
    (void)state;
    struct plan_input input = cluster(HEAD "x: &one {hostPort: 1, protocol: udp}\n"
                                           "y: &two {hostPort: 2, listenAddress: 10.0.0.2}\n"
                                           "nodes:\n"
                                           "- extraPortMappings: &list\n"
                                           "  - <<: *one\n"
                                           "  - {<<: [*two, *one], containerPort: 9}\n"
                                           "  - {hostPort: 3, <<: *one}\n"
                                           "- {extraPortMappings: *list}\n");

    assert_int_equal(input.count, 6);
    assert_int_equal(input.mappings[0].host_port, 1);
    assert_int_equal(input.mappings[1].host_port, 2);
    assert_string_equal(input.mappings[1].address, "10.0.0.2");
    assert_string_equal(input.mappings[1].protocol, "UDP");
    assert_int_equal(input.mappings[2].host_port, 3);
    assert_int_equal(input.mappings[5].host_port, 3);
    assert_int_equal(input.mappings[5].node, 1);
    plan_input_free(&input);
}

static void only_the_first_document_counts(void **state) {
    (void)state;
    struct plan_input input = cluster("---\n" HEAD NODE "  - {hostPort: 1}\n---\n\tno YAML: [\n");

    assert_int_equal(input.count, 1);
    plan_input_free(&input);
}

static void what_is_no_cluster_file_is_bad(void **state) {
    (void)state;
    assert_bad("", 1, 1, "an empty document");
    assert_bad("# a comment\n", 1, 1, "an empty document");
    assert_bad("~\n", 1, 1, "an empty document");
    assert_bad("just a text\n", 1, 1,
               "a string, neither a cluster file of Kind nor a compose file");
    assert_bad("- a\n- list\n", 1, 1, "a list, neither");
    assert_bad("kind: Cluster\n", 1, 1, "missing apiVersion");
    assert_bad("apiVersion: kind.x-k8s.io/v1alpha4\n", 1, 1, "missing kind");
    assert_bad("kind: Pod\napiVersion: v1\n", 2, 13, "apiVersion is 'v1'");
    assert_bad("apiVersion: kind.sigs.k8s.io/v1alpha3\nkind: Cluster\n", 1, 13, "v1alpha3");
    assert_bad("apiVersion: kind.x-k8s.io/v1alpha4\nkind: Pod\n", 2, 7, "kind is 'Pod'");
    assert_bad("apiVersion: [v1]\nkind: Pod\n", 1, 13, "apiVersion is a list, not a string");
}

static void a_file_without_a_mapping_is_read(void **state) {
    (void)state;
    static const char *const texts[] = {
        HEAD, HEAD "nodes: []\n", HEAD "nodes:\n- role: control-plane\n  extraPortMappings: []\n",
        "services: {a: {image: x}}\n"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct plan_input input = cluster(texts[i]);
        assert_int_equal(input.count, 0);
        plan_input_free(&input);
    }
}

static void values_of_a_wrong_kind_are_bad(void **state) {
    (void)state;
    assert_bad(HEAD "nodes: {role: worker}\n", 3, 8, "nodes is a mapping, not a list");
    assert_bad(HEAD "nodes: [worker]\n", 3, 9, "a node is a string, not a mapping");
    assert_bad(HEAD "nodes:\n- extraPortMappings: 80\n", 4, 22, "not a list");
    assert_bad(HEAD NODE "  - 80:80\n", 5, 5, "a port mapping is a string");
    assert_bad(HEAD NODE "  - {listenAddress: [1]}\n", 5, 21, "listenAddress is a list");
    assert_bad(HEAD "networking: 5\n", 3, 13, "networking is a string, not a mapping");
    assert_bad(HEAD NODE "  - hostPort: 1\n    hostPort: 2\n", 6, 5,
               "hostPort is given twice, first in line 5");
}

static void what_is_no_yaml_is_bad_with_its_place(void **state) {
    (void)state;
    assert_bad(HEAD "nodes:\n\t- role: worker\n", 4, 1, "not YAML: ");
    assert_bad(HEAD "nodes: [\n", 4, 1, "not YAML: ");
    assert_bad("a: b: c\n", 1, 5, "not YAML: ");
    assert_bad("a: \"open\n", 2, 1, "not YAML: ");
    assert_bad("a: *nobody\n", 1, 4, "no anchor 'nobody' before this alias");
    assert_bad("a: &a [*a]\n", 1, 8, "an alias to a value that contains it");
    assert_bad("a: \xff\n", 1, 4, "not YAML: ");
}

/* A text of `head`, then `part` so often, then `tail`. */
static char *repeat(const char *head, const char *part, size_t times, const char *tail) {
    char *text = NULL;
    size_t length;
    FILE *to = open_memstream(&text, &length);

    assert_non_null(to);
    fputs(head, to);
    for (size_t i = 0; i < times; i++)
        fputs(part, to);
    fputs(tail, to);
    fclose(to);
    return text;
}

static void assert_bad_repeat(const char *head, const char *part, size_t times, size_t line,
                              size_t column, const char *what) {
    char *text = repeat(head, part, times, "");

    assert_bad(text, line, column, what);
    free(text);
}

static void limits_end_what_would_use_up_time_or_memory(void **state) {
    (void)state;
    assert_bad_repeat("a: ", "[", 100000, 1, 67, "nested deeper than 64 levels");
    assert_bad_repeat("", "- ", 100000, 1, 129, "nested deeper than 64 levels");
    assert_bad_repeat("a: [", "1,", 200000, 1, 199999, "more than 100000 values");
    assert_bad_repeat("", "# longer\n", 200000, 116509, 5, "larger than 1 MiB");
    assert_bad_repeat("a:\n", "- &a 1\n", 2000, 1002, 3, "more than 1000 anchors");
}

/* Every level stands for ten of the level before. */
static void alias_bombs_are_bad(void **state) {
    (void)state;
    char text[2000] = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";

    for (int i = 1; i < 10; i++)
        sprintf(text + strlen(text),
                "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i,
                i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    assert_bad(text, 6, 55, "aliases expand to");
}

static void mappings_are_counted_with_aliases_written_out(void **state) {
    (void)state;
    char *text =
        repeat(HEAD "x: &x {hostPort: 1}\nnodes:\n- extraPortMappings: [", "*x, ", 10001, "]\n");

    assert_bad(text, 3, 4, "more than 10000 port mappings");
    free(text);
}

static void messages_are_one_line_of_printable_text(void **state) {
    (void)state;
    assert_bad(HEAD NODE "  - hostPort: \"a\\nb\\e[31m\\0c\"\n", 5, 15, "'a?b?[31m?c'");
}

static void compose_files_have_ports_in_short_and_long_form(void **state) {
    (void)state;
    struct plan_input input =
        cluster("name: x\nservices:\n"
                "  web:\n    ports:\n    - 127.0.0.1:8080:80\n    - 3000\n"
                "    - {target: 90, published: \"91\", host_ip: '::1', protocol: udp, mode: host}\n"
                "  none: {image: x}\n"
                "  db:\n    ports: [{target: 5, published: 10-20}]\n");

    assert_false(input.from_kind);
    assert_int_equal(input.count, 4);
    assert_string_equal(input.nodes[1].name, "db");
    assert_int_equal(input.mappings[0].host_port, 8080);
    assert_int_equal(input.mappings[1].container_port, 3000);
    assert_int_equal(input.mappings[1].host_port, 0);
    assert_int_equal(input.mappings[2].host_port, 91);
    assert_string_equal(input.mappings[2].address, "::1");
    assert_string_equal(input.mappings[2].protocol, "UDP");
    assert_int_equal(input.mappings[3].host_port, 10);
    assert_int_equal(input.mappings[3].host_port_last, 20);
    assert_int_equal(input.mappings[3].node, 1);
    plan_input_free(&input);
}

static void bad_ports_of_compose_files_have_a_place(void **state) {
    (void)state;
    assert_bad("services:\n  a:\n    ports:\n    - \"8080:http\"\n", 4, 13,
               "invalid container port");
    assert_bad("services:\n  a:\n    ports:\n    - ${PORT}:80\n", 4, 7, "unexpanded variable");
    assert_bad("services: {a: {ports: [{published: 80}]}}\n", 1, 24, "target is missing");
    assert_bad("services: {a: {ports: [{target: 80, published: x}]}}\n", 1, 48, "published");
    assert_bad("services: {a: {ports: [{target: 80, host_ip: x}]}}\n", 1, 24, "host_ip");
    assert_bad("services: {a: {ports: [{target: 80, protocol: x}]}}\n", 1, 24, "protocol");
    assert_bad("services: {a: 5}\n", 1, 15, "the service a is a string");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_as_go_reads_them),
        cmocka_unit_test(an_invalid_number_is_bad_with_its_place),
        cmocka_unit_test(nodes_and_mappings_keep_their_order_and_place),
        cmocka_unit_test(aliases_and_merged_keys_are_followed),
        cmocka_unit_test(only_the_first_document_counts),
        cmocka_unit_test(what_is_no_cluster_file_is_bad),
        cmocka_unit_test(a_file_without_a_mapping_is_read),
        cmocka_unit_test(values_of_a_wrong_kind_are_bad),
        cmocka_unit_test(what_is_no_yaml_is_bad_with_its_place),
        cmocka_unit_test(limits_end_what_would_use_up_time_or_memory),
        cmocka_unit_test(alias_bombs_are_bad),
        cmocka_unit_test(mappings_are_counted_with_aliases_written_out),
        cmocka_unit_test(messages_are_one_line_of_printable_text),
        cmocka_unit_test(compose_files_have_ports_in_short_and_long_form),
        cmocka_unit_test(bad_ports_of_compose_files_have_a_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
