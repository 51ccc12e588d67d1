/* What a mapping's numbers mean, and lists of mappings. The meaning is read from Kind's
 * pkg/cluster/internal/providers/common/getport.go (PortOrGetFreePort) and
 * providers/{docker,podman,nerdctl}/provision.go (generatePortMappings), kubernetes-sigs/kind. */
#include "harness/kind/mapping.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"

enum mapping_fate mapping_fate(const struct mapping *mapping) {
    if (mapping->host_port == -1)
        return FATE_RUNTIME_PICKS;
    if (mapping->host_port == 0)
        return mapping->source == SOURCE_KIND ? FATE_KIND_SEARCHES : FATE_RUNTIME_PICKS;
    if (mapping->host_port != mapping->host_port_last &&
        mapping->container_port == mapping->container_port_last)
        return FATE_FROM_RANGE;
    return FATE_FIXED;
}

const char *mapping_fate_name(enum mapping_fate fate) {
    static const char *const names[] = {[FATE_FIXED] = "fixed",
                                        [FATE_KIND_SEARCHES] = "kind-searches",
                                        [FATE_RUNTIME_PICKS] = "runtime-picks",
                                        [FATE_FROM_RANGE] = "runtime-picks-from-range"};

    return names[fate];
}

const char *mapping_protocol(const struct mapping *mapping) {
    return mapping->protocol[0] != '\0' ? mapping->protocol : "TCP";
}

const char *mapping_address(const struct plan_input *input, const struct mapping *mapping) {
    if (mapping->address[0] != '\0' || mapping->source != SOURCE_KIND)
        return mapping->address;
    return strcmp(input->ip_family, "ipv6") == 0 ? "::" : "0.0.0.0";
}

size_t plan_input_add_node(struct plan_input *input, const char *name) {
    input->nodes =
        memory_grow(input->nodes, &input->node_room, input->node_count + 1, sizeof *input->nodes);
    input->nodes[input->node_count].name = memory_copy(name, strlen(name));
    return input->node_count++;
}

bool plan_input_add_mapping(struct plan_input *input, const struct mapping *mapping,
                            struct input_problem *problem) {
    struct mapping *added;

    if (input->count == MAPPINGS_MAX) {
        free(mapping->address);
        free(mapping->protocol);
        return input_problem_set(problem, mapping->line, mapping->column,
                                 "more than %d port mappings", MAPPINGS_MAX);
    }
    input->mappings =
        memory_grow(input->mappings, &input->room, input->count + 1, sizeof *input->mappings);
    added = &input->mappings[input->count];
    *added = *mapping;
    added->node = input->node_count - 1;
    added->index = 0;
    if (input->count > 0 && input->mappings[input->count - 1].node == added->node)
        added->index = input->mappings[input->count - 1].index + 1;
    input->count++;
    return true;
}

void plan_input_free(struct plan_input *input) {
    for (size_t i = 0; i < input->count; i++) {
        free(input->mappings[i].address);
        free(input->mappings[i].protocol);
    }
    for (size_t i = 0; i < input->node_count; i++)
        free(input->nodes[i].name);
    free(input->mappings);
    free(input->nodes);
    free(input->ip_family);
    free(input->api_address);
    free(input->decode_error);
    free(input->unknown_keys);
    *input = (struct plan_input){0};
}
