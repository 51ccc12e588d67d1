/* A number is lost between being chosen and being bound. Who chooses and who binds differs; see
 * kubernetes-sigs/kind pkg/cluster/internal/providers/common/getport.go, moby/moby
 * daemon/libnetwork/portallocator, containers/podman libpod and pkg/specgen/generate/ports.go, and
 * containerd/nerdctl pkg/portutil. */
#include "harness/kind/risk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *mapping_fate_words(const struct mapping *mapping) {
    switch (mapping_fate(mapping)) {
    case FATE_FIXED:
        return "fixed: this number or none";
    case FATE_KIND_SEARCHES:
        return "Kind searches a free port and hands its number to the runtime";
    case FATE_FROM_RANGE:
        return "the runtime takes a free port of the range";
    case FATE_RUNTIME_PICKS:
    default:
        return mapping->source == SOURCE_KIND
                   ? "the runtime picks any free port, another one at each restart"
                   : "the runtime picks any free port";
    }
}

static bool any_in_range(const struct host_facts *facts, const struct mapping *mapping) {
    /* A Kind file may say any number that 32 bits hold. */
    for (int32_t port = mapping->host_port; port <= mapping->host_port_last && port <= 65535;
         port++)
        if (host_facts_in_range(facts, port))
            return true;
    return false;
}

/* Does another mapping of the node need a probe as well? A control plane's API server does, unless
 * its port is fixed. */
static bool others_searched(const struct plan_input *input, const struct mapping *mapping) {
    size_t searched = 0;

    for (size_t i = 0; i < input->count; i++)
        searched += input->mappings[i].node == mapping->node &&
                    mapping_fate(&input->mappings[i]) == FATE_KIND_SEARCHES;
    if (strcmp(input->nodes[mapping->node].name, "control-plane") == 0 && input->api_port == 0)
        searched++;
    return searched > 1;
}

static void write_search(FILE *to, const struct plan_input *input, const struct mapping *mapping,
                         const struct kind_release *release) {
    fputs(
        "between the closing of Kind's probe and the runtime's bind, to any process that asks for "
        "port 0 or connects out",
        to);
    if (input->node_count > 1)
        fputs(", and to another node of this cluster, since nodes are made side by side", to);
    if (!kind_release_keeps_probes(release) && others_searched(input, mapping))
        fputs(", and to another mapping of this node, since this release closes each probe at once",
              to);
    if (strcmp(mapping_protocol(mapping), "TCP") != 0)
        fprintf(to, "; the probe is made over TCP, so a holder over %s goes unnoticed",
                mapping_protocol(mapping));
}

static void write_pick(FILE *to, enum container_runtime runtime) {
    if (runtime == RUNTIME_PODMAN)
        fputs("chosen by a TCP probe when the container is created and bound when it starts: in "
              "between, to any process",
              to);
    else if (runtime == RUNTIME_NERDCTL)
        fputs("the lowest free number that /proc/net shows, bound by nobody while it is chosen: to "
              "whoever chooses in the same way at that time, or binds it meanwhile",
              to);
}

char *mapping_risk(const struct plan_input *input, const struct mapping *mapping,
                   const struct kind_release *release, enum container_runtime runtime,
                   const struct host_facts *facts) {
    char *text = NULL;
    size_t length;
    FILE *to = open_memstream(&text, &length);

    if (to == NULL)
        abort();
    switch (mapping_fate(mapping)) {
    case FATE_FIXED:
        fputs("until the runtime binds it, to whoever binds it first", to);
        if (any_in_range(facts, mapping))
            fputs(", and to any outgoing connection, whose source port it may become", to);
        break;
    case FATE_KIND_SEARCHES:
        write_search(to, input, mapping, release);
        break;
    case FATE_RUNTIME_PICKS:
    case FATE_FROM_RANGE:
    default:
        write_pick(to, runtime);
        break;
    }
    fclose(to);
    if (length > 0)
        return text;
    free(text);
    return NULL;
}
