/* The form is that of docker/go-connections (nat/nat.go, nat/parse.go): split from the right, since
 * an IPv6 address, with brackets or without, may hold any number of colons. */
#include "harness/kind/publish_spec.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "harness/base/memory.h"

static bool read_port(const char *text, size_t length, int32_t *port) {
    int32_t value = 0;

    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        value = value * 10 + (text[i] - '0');
        if (value > 65535)
            return false;
    }
    *port = value;
    return true;
}

bool publish_spec_range(const char *text, size_t length, int32_t *first, int32_t *last) {
    const char *dash = memchr(text, '-', length);

    *first = *last = 0;
    if (dash == NULL) {
        if (!read_port(text, length, first))
            return false;
        *last = *first;
        return true;
    }
    if (read_port(text, (size_t)(dash - text), first) &&
        read_port(dash + 1, length - (size_t)(dash + 1 - text), last) && *first <= *last)
        return true;
    *first = *last = 0;
    return false;
}

bool publish_spec_protocol(const char *text) {
    return strcasecmp(text, "tcp") == 0 || strcasecmp(text, "udp") == 0 ||
           strcasecmp(text, "sctp") == 0;
}

/* The parts of a specification, as places in it. */
struct parts {
    const char *address;
    size_t address_length;
    const char *host;
    size_t host_length;
    const char *container;
    size_t container_length;
    const char *protocol; /* to the end; "" if there is none */
};

static const char *last_colon(const char *from, const char *to) {
    while (to > from)
        if (*--to == ':')
            return to;
    return NULL;
}

static struct parts split(const char *spec) {
    const char *slash = strrchr(spec, '/');
    const char *end = slash != NULL ? slash : spec + strlen(spec);
    const char *colon = last_colon(spec, end);
    struct parts parts = {spec, 0, spec, 0, spec, (size_t)(end - spec), slash ? slash + 1 : ""};
    const char *before;

    if (colon == NULL)
        return parts;
    parts.container = colon + 1;
    parts.container_length = (size_t)(end - colon - 1);
    before = last_colon(spec, colon);
    parts.host = before != NULL ? before + 1 : spec;
    parts.host_length = (size_t)(colon - parts.host);
    if (before == NULL)
        return parts;
    parts.address_length = (size_t)(before - spec);
    if (parts.address_length >= 2 && spec[0] == '[' && before[-1] == ']') {
        parts.address++;
        parts.address_length -= 2;
    }
    return parts;
}

static bool wrong(struct input_problem *problem, const char *spec, const char *at, size_t length,
                  const char *what) {
    return input_problem_set(problem, 1, (size_t)(at - spec) + 1, "%s '%.*s'", what, (int)length,
                             at);
}

static char *upper_case(const char *text) {
    char *upper = memory_copy(text, strlen(text));

    for (char *at = upper; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    return upper;
}

bool publish_spec_read(const char *spec, struct mapping *mapping, struct input_problem *problem) {
    struct parts parts = split(spec);
    char *address;

    if (strchr(spec, '$') != NULL)
        return wrong(problem, spec, strchr(spec, '$'), strlen(strchr(spec, '$')),
                     "unexpanded variable (docker compose config expands it) in");
    if (!publish_spec_range(parts.container, parts.container_length, &mapping->container_port,
                            &mapping->container_port_last) ||
        mapping->container_port == 0)
        return wrong(problem, spec, parts.container, parts.container_length,
                     "invalid container port or range");
    if (parts.host_length == 0)
        mapping->host_port = mapping->host_port_last = 0;
    else if (!publish_spec_range(parts.host, parts.host_length, &mapping->host_port,
                                 &mapping->host_port_last) ||
             (mapping->host_port == 0 && mapping->host_port_last != 0))
        return wrong(problem, spec, parts.host, parts.host_length, "invalid host port or range");
    if (parts.host_length > 0 && mapping->container_port != mapping->container_port_last &&
        mapping->host_port_last - mapping->host_port !=
            mapping->container_port_last - mapping->container_port)
        return wrong(problem, spec, parts.host, parts.host_length,
                     "host and container port ranges differ in length:");
    if (parts.protocol[0] != '\0' && !publish_spec_protocol(parts.protocol))
        return wrong(problem, spec, parts.protocol, strlen(parts.protocol),
                     "the protocol must be tcp, udp or sctp, not");
    address = memory_copy(parts.address, parts.address_length);
    if (parts.address_length > 0 && !listen_address_parse(address).valid) {
        free(address);
        return wrong(problem, spec, parts.address, parts.address_length, "invalid IP address");
    }
    mapping->address = address;
    mapping->protocol = upper_case(parts.protocol);
    return true;
}
