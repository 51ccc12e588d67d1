/* Of a Kind file, the keys that bear on ports are read and the others are left alone: which of them
 * a release knows is left open. Read in kubernetes-sigs/kind: pkg/apis/config/v1alpha4 (types.go,
 * yaml.go), pkg/internal/apis/config (default.go, encoding/load.go). */
#include "harness/kind/cluster_file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/kind/quoted.h"
#include "harness/kind/yaml_value.h"

#define API_VERSION "kind.x-k8s.io/v1alpha4"

static char *copy(const char *text) { return memory_copy(text, strlen(text)); }

static char *upper_case(const char *text) {
    char *upper = copy(text);

    for (char *at = upper; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    return upper;
}

/* The first of them ends Kind's decoding, so it is the one that is reported. */
static void check_protocol(struct plan_input *input, const char *protocol) {
    static const char *const known[] = {"TCP", "UDP", "SCTP"};
    char *quotation;

    if (protocol[0] == '\0') {
        input->empty_protocol = input->empty_protocol || input->decode_error == NULL;
        return;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(protocol, known[i]) == 0)
            return;
    if (input->decode_error != NULL)
        return;
    quotation = quoted(protocol);
    if (asprintf(&input->decode_error, "Unknown PortMappingProtocol: %s", quotation) < 0)
        abort();
    free(quotation);
}

/* Kind decodes strictly. Texts as yaml.v3 (go.yaml.in/yaml/v3, decode.go) makes them. */
static bool gather_unknown_keys(struct plan_input *input, const struct tree_node *mapping) {
    static const char *const known[] = {"containerPort", "hostPort", "listenAddress", "protocol",
                                        "<<"};
    bool found = false;

    for (size_t i = 0; i + 1 < mapping->count; i += 2) {
        const struct tree_node *key = mapping->children[i];
        bool is_known = false;
        char *longer;

        if (key->kind != TREE_SCALAR)
            continue;
        for (size_t j = 0; j < sizeof known / sizeof *known; j++)
            is_known = is_known || strcmp(key->text, known[j]) == 0;
        if (is_known)
            continue;
        found = true;
        if (asprintf(&longer,
                     "%s\n  line %zu: field %s not found in type v1alpha4.PortMappingAlias",
                     input->unknown_keys != NULL ? input->unknown_keys : "yaml: unmarshal errors:",
                     key->line, key->text) < 0)
            abort();
        free(input->unknown_keys);
        input->unknown_keys = longer;
    }
    return found;
}

static bool read_mapping(const struct tree_node *node, struct plan_input *input,
                         struct input_problem *problem) {
    struct mapping mapping = {.source = SOURCE_KIND, .line = node->line, .column = node->column};
    const char *address = NULL;
    const char *protocol = NULL;

    if (yaml_value_is_null(node))
        return true; /* yaml.v3 drops a null out of a list */
    if (node->kind != TREE_MAPPING)
        return input_problem_set(problem, node->line, node->column,
                                 "a port mapping is %s, not a mapping of containerPort, hostPort, "
                                 "listenAddress and protocol",
                                 yaml_value_kind_name(node->kind));
    if (!yaml_value_number(node, "containerPort", &mapping.container_port, problem) ||
        !yaml_value_number(node, "hostPort", &mapping.host_port, problem) ||
        !yaml_value_text(node, "listenAddress", &address, problem) ||
        !yaml_value_text(node, "protocol", &protocol, problem))
        return false;
    mapping.container_port_last = mapping.container_port;
    mapping.host_port_last = mapping.host_port;
    mapping.address = copy(address != NULL ? address : "");
    mapping.protocol = upper_case(protocol != NULL ? protocol : "");
    if (!gather_unknown_keys(input, node))
        check_protocol(input, mapping.protocol);
    return plan_input_add_mapping(input, &mapping, problem);
}

static bool read_node(const struct tree_node *node, struct plan_input *input,
                      struct input_problem *problem) {
    const struct tree_node *mappings;
    const char *role;

    if (yaml_value_is_null(node))
        return true;
    if (node->kind != TREE_MAPPING)
        return input_problem_set(problem, node->line, node->column, "a node is %s, not a mapping",
                                 yaml_value_kind_name(node->kind));
    if (!yaml_value_text(node, "role", &role, problem) ||
        !yaml_value_find_kind(node, "extraPortMappings", TREE_SEQUENCE, &mappings, problem))
        return false;
    plan_input_add_node(input, role != NULL && role[0] != '\0' ? role : "control-plane");
    for (size_t i = 0; mappings != NULL && i < mappings->count; i++)
        if (!read_mapping(mappings->children[i], input, problem))
            return false;
    return true;
}

static bool read_networking(const struct tree_node *root, struct plan_input *input,
                            struct input_problem *problem) {
    const struct tree_node *networking;
    const char *family = NULL;
    const char *address = NULL;

    if (!yaml_value_find_kind(root, "networking", TREE_MAPPING, &networking, problem))
        return false;
    if (networking != NULL &&
        (!yaml_value_text(networking, "ipFamily", &family, problem) ||
         !yaml_value_text(networking, "apiServerAddress", &address, problem) ||
         !yaml_value_number(networking, "apiServerPort", &input->api_port, problem)))
        return false;
    input->ip_family = copy(family != NULL && family[0] != '\0' ? family : "ipv4");
    if (address == NULL || address[0] == '\0')
        address = strcmp(input->ip_family, "ipv6") == 0 ? "::1" : "127.0.0.1";
    input->api_address = copy(address);
    return true;
}

static bool read_cluster(const struct tree_node *root, struct plan_input *input,
                         struct input_problem *problem) {
    const struct tree_node *nodes;

    input->from_kind = true;
    if (!read_networking(root, input, problem) ||
        !yaml_value_find_kind(root, "nodes", TREE_SEQUENCE, &nodes, problem))
        return false;
    for (size_t i = 0; nodes != NULL && i < nodes->count; i++)
        if (!read_node(nodes->children[i], input, problem))
            return false;
    return true;
}

/* An apiVersion and kind as Kind wants them; the value's place if it is another. */
static bool check_word(const struct tree_node *root, const char *key, const char *expected,
                       struct input_problem *problem) {
    const struct tree_node *value;

    if (!yaml_value_find_kind(root, key, TREE_SCALAR, &value, problem))
        return false;
    if (value == NULL)
        return input_problem_set(problem, root->line, root->column,
                                 "missing %s: a cluster file of Kind has %s: %s", key, key,
                                 expected);
    if (strcmp(value->text, expected) == 0)
        return true;
    return input_problem_set(problem, value->line, value->column,
                             "%s is '%s'; a cluster file of Kind has %s", key, value->text,
                             expected);
}

static bool read_root(const struct tree_node *root, struct plan_input *input,
                      struct input_problem *problem) {
    const struct tree_node *version;
    const struct tree_node *services;

    if (root->kind != TREE_MAPPING)
        return input_problem_set(problem, root->line, root->column,
                                 "%s, neither a cluster file of Kind nor a compose file",
                                 yaml_value_is_null(root) ? "an empty document"
                                                          : yaml_value_kind_name(root->kind));
    if (!yaml_value_find(root, "apiVersion", &version, problem) ||
        !yaml_value_find(root, "services", &services, problem))
        return false;
    if (version == NULL && services != NULL)
        return compose_file_read(root, input, problem);
    return check_word(root, "apiVersion", API_VERSION, problem) &&
           check_word(root, "kind", "Cluster", problem) && read_cluster(root, input, problem);
}

bool cluster_file_read(const char *text, size_t length, struct plan_input *input,
                       struct input_problem *problem) {
    struct yaml_tree *tree = yaml_tree_read(text, length, problem);
    bool good;

    if (tree == NULL)
        return false;
    good = read_root(yaml_tree_root(tree), input, problem);
    yaml_tree_free(tree);
    return good;
}
