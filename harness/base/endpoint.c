/* A dual-stack wildcard has a part in both families, so whether two sockets can be in each other's
 * way is decided part by part and not by comparing addresses. */
#include "harness/base/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

enum part { PART_NONE, PART_ANY, PART_ONE };

static bool is_mapped(const uint8_t address[16]) {
    return memcmp(address, mapped, sizeof mapped) == 0;
}

bool endpoint_is_wildcard(const struct endpoint *endpoint) {
    static const uint8_t zero[16];
    if (is_mapped(endpoint->address))
        return memcmp(endpoint->address + 12, zero, 4) == 0;
    return memcmp(endpoint->address, zero, 16) == 0;
}

static enum part v4_part(const struct endpoint *endpoint) {
    bool wildcard = endpoint_is_wildcard(endpoint);
    if (is_mapped(endpoint->address))
        return wildcard ? PART_ANY : PART_ONE;
    return wildcard && !endpoint->v6only ? PART_ANY : PART_NONE;
}

static enum part v6_part(const struct endpoint *endpoint) {
    if (is_mapped(endpoint->address))
        return PART_NONE;
    return endpoint_is_wildcard(endpoint) ? PART_ANY : PART_ONE;
}

static bool parts_overlap(enum part one, enum part other, bool equal) {
    if (one == PART_NONE || other == PART_NONE)
        return false;
    return one == PART_ANY || other == PART_ANY || equal;
}

bool endpoint_addresses_overlap(const struct endpoint *one, const struct endpoint *other) {
    bool equal = memcmp(one->address, other->address, 16) == 0 && one->scope == other->scope;
    return parts_overlap(v4_part(one), v4_part(other), equal) ||
           parts_overlap(v6_part(one), v6_part(other), equal);
}

bool endpoints_overlap(const struct endpoint *one, const struct endpoint *other) {
    return one->protocol == other->protocol && one->port == other->port &&
           endpoint_addresses_overlap(one, other);
}

bool endpoints_equal(const struct endpoint *one, const struct endpoint *other) {
    return one->protocol == other->protocol && one->port == other->port &&
           one->family == other->family && one->v6only == other->v6only &&
           one->scope == other->scope && memcmp(one->address, other->address, 16) == 0;
}

socklen_t endpoint_to_socket_address(const struct endpoint *endpoint,
                                     struct sockaddr_storage *address) {
    memset(address, 0, sizeof *address);
    if (endpoint->family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)address;
        in->sin_family = AF_INET;
        in->sin_port = htons(endpoint->port);
        memcpy(&in->sin_addr, endpoint->address + 12, 4);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(endpoint->port);
    in6->sin6_scope_id = endpoint->scope;
    memcpy(&in6->sin6_addr, endpoint->address, 16);
    return sizeof *in6;
}

void endpoint_set_address(struct endpoint *endpoint, int family, const void *bytes) {
    endpoint->family = (uint8_t)family;
    if (family == AF_INET6) {
        memcpy(endpoint->address, bytes, 16);
        return;
    }
    memcpy(endpoint->address, mapped, sizeof mapped);
    memcpy(endpoint->address + 12, bytes, 4);
}

void endpoint_from_socket_address(struct endpoint *endpoint,
                                  const struct sockaddr_storage *address) {
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        endpoint_set_address(endpoint, AF_INET, &in->sin_addr);
        endpoint->port = ntohs(in->sin_port);
        endpoint->scope = 0;
        return;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
    endpoint_set_address(endpoint, AF_INET6, &in6->sin6_addr);
    endpoint->port = ntohs(in6->sin6_port);
    endpoint->scope = in6->sin6_scope_id;
}

const char *endpoint_protocol_name(unsigned protocol) {
    switch (protocol) {
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    case IPPROTO_SCTP:
        return "sctp";
    default:
        return "?";
    }
}

const char *endpoint_text(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_SIZE]) {
    char address[INET6_ADDRSTRLEN] = "?";
    if (endpoint->family == AF_INET)
        inet_ntop(AF_INET, endpoint->address + 12, address, sizeof address);
    else
        inet_ntop(AF_INET6, endpoint->address, address, sizeof address);
    bool brackets = endpoint->family != AF_INET;
    snprintf(text, ENDPOINT_TEXT_SIZE, "%s %s%s%s:%u", endpoint_protocol_name(endpoint->protocol),
             brackets ? "[" : "", address, brackets ? "]" : "", endpoint->port);
    return text;
}
