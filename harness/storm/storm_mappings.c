/* The built-in mappings are the story's two, one on all addresses, and one for UDP. */
#include "harness/storm/storm_mappings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/message.h"
#include "harness/base/text_file.h"
#include "harness/kind/cluster_file.h"
#include "harness/storm/publish_socket.h"

static const struct {
    const char *address;
    uint8_t protocol;
    uint16_t container_port;
} built_in[] = {{"127.0.0.1", IPPROTO_TCP, 80},
                {"127.0.0.1", IPPROTO_TCP, 443},
                {"0.0.0.0", IPPROTO_TCP, 8080},
                {"0.0.0.0", IPPROTO_UDP, 53}};

static void add(struct storm_settings *settings, const char *address, int32_t host_port,
                const struct publish_mapping *from) {
    struct publish_mapping *mapping = &settings->mapping[settings->mappings++];
    bool brackets = from->endpoint.family == AF_INET6;
    *mapping = *from;
    mapping->host_port = host_port;
    snprintf(mapping->name, sizeof mapping->name, "%s%s%s:%d->%d/%s", brackets ? "[" : "", address,
             brackets ? "]" : "", (int)host_port, (int)mapping->container_port,
             endpoint_protocol_name(mapping->endpoint.protocol));
}

static void use_built_in(struct storm_settings *settings) {
    for (unsigned i = 0; i < sizeof built_in / sizeof built_in[0]; i++) {
        struct publish_mapping mapping = {.container_port = built_in[i].container_port};
        struct in_addr address;
        inet_pton(AF_INET, built_in[i].address, &address);
        endpoint_set_address(&mapping.endpoint, AF_INET, &address);
        mapping.endpoint.protocol = built_in[i].protocol;
        add(settings, built_in[i].address, 0, &mapping);
    }
}

static bool set_address(struct endpoint *endpoint, const char *text) {
    const struct listen_address address = listen_address_parse(text);
    if (!address.valid)
        return false;
    if (listen_address_is_v4(&address))
        endpoint_set_address(endpoint, AF_INET, address.bytes + 12);
    else
        endpoint_set_address(endpoint, AF_INET6, address.bytes);
    return true;
}

static bool set_protocol(struct endpoint *endpoint, const char *name) {
    static const struct {
        const char *name;
        uint8_t protocol;
    } known[] = {{"TCP", IPPROTO_TCP}, {"UDP", IPPROTO_UDP}, {"SCTP", IPPROTO_SCTP}};
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].name, name) == 0)
            endpoint->protocol = known[i].protocol;
    return endpoint->protocol != 0;
}

/* A mapping of the file, which may be a range of them, as sockets can have it. */
static bool convert(struct storm_settings *settings, const struct plan_input *input,
                    const struct mapping *from, unsigned *left_out, struct input_problem *problem) {
    struct publish_mapping mapping = {.node = (uint32_t)from->node};
    const char *address = mapping_address(input, from);
    int32_t ports = from->container_port_last - from->container_port;
    if (address[0] == '\0')
        address = "0.0.0.0";
    if (!set_address(&mapping.endpoint, address))
        return input_problem_set(problem, from->line, from->column, "invalid listen address '%s'",
                                 address);
    if (!set_protocol(&mapping.endpoint, mapping_protocol(from)))
        return input_problem_set(problem, from->line, from->column, "invalid protocol '%s'",
                                 mapping_protocol(from));
    if (from->host_port < HOST_PORT_RUNTIME || from->host_port_last > 65535 ||
        from->container_port < -1 || from->container_port_last > 65535)
        return input_problem_set(problem, from->line, from->column,
                                 "a port must be a number up to 65535");
    if (from->host_port > 0 && from->host_port_last - from->host_port != ports)
        return input_problem_set(problem, from->line, from->column,
                                 "a storm takes no choice of host ports: as many as container "
                                 "ports, or none");
    for (int32_t i = 0; i <= ports; i++) {
        if (settings->mappings == PUBLISH_MAPPINGS_MAX)
            return input_problem_set(problem, from->line, from->column,
                                     "a storm takes %d mappings at most", PUBLISH_MAPPINGS_MAX);
        mapping.container_port = from->container_port + i;
        if (mapping.endpoint.protocol == IPPROTO_SCTP && !settings->sctp)
            (*left_out)++;
        else
            add(settings, address, from->host_port > 0 ? from->host_port + i : from->host_port,
                &mapping);
    }
    return true;
}

bool storm_mappings_read(struct storm_settings *settings, const char *file, unsigned *left_out) {
    struct plan_input input = {0};
    struct input_problem problem = {.line = 1, .column = 1};
    size_t length;
    *left_out = 0;
    settings->sctp = socket_sctp_offered();
    if (file == NULL) {
        use_built_in(settings);
        return true;
    }
    char *text = text_file_read(file, YAML_TREE_BYTES, &length);
    if (text == NULL)
        return complain("storm", "%s: %s", file, strerror(errno));
    bool good = cluster_file_read(text, length, &input, &problem);
    for (size_t i = 0; good && i < input.count; i++)
        good = convert(settings, &input, &input.mappings[i], left_out, &problem);
    if (good && settings->mappings == 0)
        good = input_problem_set(&problem, 1, 1, "no mapping that this kernel can publish");
    free(text);
    plan_input_free(&input);
    return good ||
           complain("storm", "%s:%zu:%zu: %s", file, problem.line, problem.column, problem.what);
}
