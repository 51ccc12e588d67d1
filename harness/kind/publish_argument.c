/* The forms are those of generatePortMappings in kubernetes-sigs/kind,
 * pkg/cluster/internal/providers/{docker,podman,nerdctl}/provision.go: Podman refuses a host port
 * of 0 and wants nothing in its place, and protocols in lower case. */
#include "harness/kind/publish_argument.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *container_runtime_name(enum container_runtime runtime) {
    static const char *const names[] = {
        [RUNTIME_DOCKER] = "docker", [RUNTIME_PODMAN] = "podman", [RUNTIME_NERDCTL] = "nerdctl"};

    return names[runtime];
}

static void write_range(FILE *to, int32_t first, int32_t last) {
    fprintf(to, "%d", first);
    if (last != first)
        fprintf(to, "-%d", last);
}

static void write_host(FILE *to, const struct plan_input *input, const struct mapping *mapping,
                       enum container_runtime runtime) {
    const char *address = mapping_address(input, mapping);
    enum mapping_fate fate = mapping_fate(mapping);

    if (address[0] != '\0')
        fprintf(to, strchr(address, ':') != NULL ? "[%s]:" : "%s:", address);
    else if (fate == FATE_RUNTIME_PICKS)
        return; /* the container's port alone */
    if (fate == FATE_KIND_SEARCHES)
        fputs("<searched>", to);
    else if (fate == FATE_RUNTIME_PICKS)
        fputs(runtime == RUNTIME_PODMAN ? "" : "0", to);
    else
        write_range(to, mapping->host_port, mapping->host_port_last);
    fputc(':', to);
}

char *publish_argument(const struct plan_input *input, const struct mapping *mapping,
                       enum container_runtime runtime) {
    bool lower = mapping->source != SOURCE_KIND || runtime == RUNTIME_PODMAN;
    char *text = NULL;
    size_t length;
    FILE *to = open_memstream(&text, &length);

    if (to == NULL)
        abort();
    fputs("--publish=", to);
    write_host(to, input, mapping, runtime);
    write_range(to, mapping->container_port, mapping->container_port_last);
    fputc('/', to);
    for (const char *at = mapping_protocol(mapping); *at != '\0'; at++)
        fputc(lower ? tolower((unsigned char)*at) : *at, to);
    fclose(to);
    return text;
}
