/* The built-in mappings are the story's two, one on all addresses, and one for UDP. */
#include "harness/cli/storm_mappings.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "harness/publish/sockets.h"

static const struct {
    const char *address;
    uint8_t protocol;
    uint16_t container_port;
} built_in[] = {{"127.0.0.1", IPPROTO_TCP, 80},
                {"127.0.0.1", IPPROTO_TCP, 443},
                {"0.0.0.0", IPPROTO_TCP, 8080},
                {"0.0.0.0", IPPROTO_UDP, 53}};

static bool add(struct board_settings *settings, const char *address, uint8_t protocol,
                int32_t host_port, uint16_t container_port) {
    struct publish_mapping *mapping = &settings->mapping[settings->mappings];
    struct in_addr v4;
    struct in6_addr v6;
    *mapping = (struct publish_mapping){.container_port = container_port, .host_port = host_port};
    mapping->endpoint.protocol = protocol;
    if (inet_pton(AF_INET, address, &v4) == 1)
        endpoint_set_address(&mapping->endpoint, AF_INET, &v4);
    else if (inet_pton(AF_INET6, address, &v6) == 1)
        endpoint_set_address(&mapping->endpoint, AF_INET6, &v6);
    else
        return false;
    snprintf(mapping->name, sizeof mapping->name, "%s:%d->%u/%s", address, (int)host_port,
             container_port, endpoint_protocol_name(protocol));
    settings->mappings++;
    return true;
}

bool storm_mappings_read(struct board_settings *settings, const char *file, unsigned *left_out) {
    *left_out = 0;
    settings->sctp = socket_sctp_offered();
    if (file != NULL) {
        fprintf(stderr, "portwitness storm: %s: files are not read yet\n", file);
        return false;
    }
    for (unsigned i = 0; i < sizeof built_in / sizeof built_in[0]; i++)
        add(settings, built_in[i].address, built_in[i].protocol, 0, built_in[i].container_port);
    return true;
}
