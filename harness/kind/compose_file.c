/* The ports of a compose file, in the short form, which is that of -p, and in the long one. See the
 * Compose specification, services, ports (compose-spec/compose-spec, 05-services.md). */
#include <ctype.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/kind/cluster_file.h"
#include "harness/kind/publish_spec.h"
#include "harness/kind/yaml_value.h"

static bool read_short(const struct tree_node *node, struct plan_input *input,
                       struct input_problem *problem) {
    struct mapping mapping = {.source = SOURCE_COMPOSE, .line = node->line, .column = node->column};
    struct input_problem within;

    if (!publish_spec_read(node->text, &mapping, &within))
        return input_problem_set(problem, node->line,
                                 node->column + (node->plain ? 0 : 1) + within.column - 1, "%s",
                                 within.what);
    return plan_input_add_mapping(input, &mapping, problem);
}

/* published may be a range; target is one port. */
static bool read_ports(const struct tree_node *node, struct mapping *mapping,
                       struct input_problem *problem) {
    const struct tree_node *published;

    if (!yaml_value_number(node, "target", &mapping->container_port, problem) ||
        !yaml_value_find_kind(node, "published", TREE_SCALAR, &published, problem))
        return false;
    if (mapping->container_port < 1 || mapping->container_port > 65535)
        return input_problem_set(problem, node->line, node->column,
                                 "target is missing or not a port from 1 to 65535");
    mapping->container_port_last = mapping->container_port;
    if (published == NULL || published->text[0] == '\0' ||
        publish_spec_range(published->text, strlen(published->text), &mapping->host_port,
                           &mapping->host_port_last))
        return true;
    return input_problem_set(problem, published->line, published->column,
                             "published is neither a port nor a range of ports: '%s'",
                             published->text);
}

static bool read_long(const struct tree_node *node, struct plan_input *input,
                      struct input_problem *problem) {
    struct mapping mapping = {.source = SOURCE_COMPOSE, .line = node->line, .column = node->column};
    const char *address = NULL;
    const char *protocol = NULL;

    if (!read_ports(node, &mapping, problem) ||
        !yaml_value_text(node, "host_ip", &address, problem) ||
        !yaml_value_text(node, "protocol", &protocol, problem))
        return false;
    if (address != NULL && address[0] != '\0' && !listen_address_parse(address).valid)
        return input_problem_set(problem, node->line, node->column,
                                 "host_ip is not an IP address: '%s'", address);
    if (protocol != NULL && protocol[0] != '\0' && !publish_spec_protocol(protocol))
        return input_problem_set(problem, node->line, node->column,
                                 "the protocol must be tcp, udp or sctp, not '%s'", protocol);
    mapping.address = memory_copy(address != NULL ? address : "", address ? strlen(address) : 0);
    mapping.protocol =
        memory_copy(protocol != NULL ? protocol : "", protocol ? strlen(protocol) : 0);
    for (char *at = mapping.protocol; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    return plan_input_add_mapping(input, &mapping, problem);
}

static bool read_service(const struct tree_node *name, const struct tree_node *service,
                         struct plan_input *input, struct input_problem *problem) {
    const struct tree_node *ports;

    if (name->kind != TREE_SCALAR || yaml_value_is_null(service))
        return true;
    if (service->kind != TREE_MAPPING)
        return input_problem_set(problem, service->line, service->column,
                                 "the service %s is %s, not a mapping", name->text,
                                 yaml_value_kind_name(service->kind));
    if (!yaml_value_find_kind(service, "ports", TREE_SEQUENCE, &ports, problem))
        return false;
    if (ports == NULL)
        return true;
    plan_input_add_node(input, name->text);
    for (size_t i = 0; i < ports->count; i++) {
        const struct tree_node *port = ports->children[i];

        if (port->kind == TREE_SEQUENCE)
            return input_problem_set(problem, port->line, port->column,
                                     "a port is a list, not a string or a mapping");
        if (!(port->kind == TREE_SCALAR ? read_short : read_long)(port, input, problem))
            return false;
    }
    return true;
}

bool compose_file_read(const struct tree_node *root, struct plan_input *input,
                       struct input_problem *problem) {
    const struct tree_node *services;

    if (!yaml_value_find_kind(root, "services", TREE_MAPPING, &services, problem))
        return false;
    for (size_t i = 0; services != NULL && i + 1 < services->count; i += 2)
        if (!read_service(services->children[i], services->children[i + 1], input, problem))
            return false;
    return true;
}
