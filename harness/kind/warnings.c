/* Kind compares the mappings of one node by the texts of address and protocol. The runtime's bind
 * is decided by the kernel, which knows no nodes, takes an empty protocol for TCP as the runtime
 * does, and has ranges and privileges of its own. */
#include "harness/kind/warnings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"

/* The address that a mapping's socket gets, read once: pairs are many. */
struct bound_to {
    const char *text;
    struct listen_address address;
};

struct search {
    const struct plan_input *input;
    const struct bound_to *addresses; /* of each mapping */
    const struct kind_release *release;
    const struct host_facts *facts;
    struct plan_warnings *warnings;
};

static char *print(const char *format, va_list arguments) {
    char *text;

    if (vasprintf(&text, format, arguments) < 0)
        abort();
    return text;
}

static void warn(const struct search *search, const char *kind, size_t mapping, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));
static void fix(const struct search *search, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void warn(const struct search *search, const char *kind, size_t mapping, const char *format,
                 ...) {
    struct plan_warnings *warnings = search->warnings;
    va_list arguments;

    warnings->list =
        memory_grow(warnings->list, &warnings->room, warnings->count + 1, sizeof *warnings->list);
    va_start(arguments, format);
    warnings->list[warnings->count++] =
        (struct plan_warning){.kind = kind, .mapping = mapping, .text = print(format, arguments)};
    va_end(arguments);
}

/* The fix of the last warning. */
static void fix(const struct search *search, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    search->warnings->list[search->warnings->count - 1].fix = print(format, arguments);
    va_end(arguments);
}

enum meeting { MEET_NOT, MEET, MEET_DUAL_STACK };

/* Would sockets on both addresses meet? A :: socket meets IPv4 only if it is dual-stack, which the
 * binder decides. A runtime that is given no address takes every one of both families. */
static enum meeting addresses_overlap(const struct bound_to *one, const struct bound_to *other) {
    const struct listen_address *a = &one->address;
    const struct listen_address *b = &other->address;

    if (one->text[0] == '\0' || other->text[0] == '\0')
        return MEET;
    if (!a->valid || !b->valid)
        return strcmp(one->text, other->text) == 0 ? MEET : MEET_NOT;
    if (listen_address_equal(a, b))
        return MEET;
    if (listen_address_is_v4(a) != listen_address_is_v4(b))
        return listen_address_is_any_v6(a) || listen_address_is_any_v6(b) ? MEET_DUAL_STACK
                                                                          : MEET_NOT;
    return listen_address_is_any_v4(a) || listen_address_is_any_v4(b) ||
                   listen_address_is_any_v6(a) || listen_address_is_any_v6(b)
               ? MEET
               : MEET_NOT;
}

static struct bound_to bound_to(const char *text) {
    return (struct bound_to){text, listen_address_parse(text)};
}

enum { PLACE_SIZE = 96 };

static const char *place(const struct search *search, size_t index, char text[PLACE_SIZE]) {
    const struct mapping *mapping = &search->input->mappings[index];

    if (mapping->source == SOURCE_PUBLISH)
        snprintf(text, PLACE_SIZE, "-p number %zu", mapping->index + 1);
    else if (mapping->source == SOURCE_KIND)
        snprintf(text, PLACE_SIZE, "node %zu, line %zu", mapping->node, mapping->line);
    else
        snprintf(text, PLACE_SIZE, "service %.40s, line %zu",
                 search->input->nodes[mapping->node].name, mapping->line);
    return text;
}

/* Does Kind itself refuse the pair? Not by every rule, and never over nodes. */
static bool kind_compares(const struct search *search, const struct mapping *a,
                          const struct mapping *b) {
    return a->source == SOURCE_KIND && b->source == SOURCE_KIND && a->node == b->node &&
           strcmp(a->protocol, b->protocol) == 0 && kind_rule_of(search->release)->compares;
}

static void warn_of_pair(const struct search *search, size_t first, size_t second,
                         enum meeting meeting) {
    const struct mapping *a = &search->input->mappings[first];
    const struct mapping *b = &search->input->mappings[second];
    const char *protocol = mapping_protocol(b);
    int32_t port = b->host_port > a->host_port ? b->host_port : a->host_port;
    char text[PLACE_SIZE];

    place(search, first, text);
    if (meeting == MEET_DUAL_STACK) {
        warn(search, "dual-stack", second,
             "port %d/%s is wanted on :: and on an IPv4 address (%s): a socket on :: that is "
             "dual-stack holds every IPv4 address too, and the second bind fails",
             port, protocol, text);
        fix(search, "give one of them another hostPort, or name an IPv6 address instead of ::");
    } else if (a->node == b->node && strcmp(a->protocol, b->protocol) != 0) {
        warn(search, "empty-protocol", second,
             "port %d is wanted twice (%s): Kind takes an empty protocol and TCP for two, the "
             "runtime takes both for TCP, and the second bind fails",
             port, text);
        fix(search, "say protocol: TCP in both, and give one another hostPort");
    } else {
        warn(search, "duplicate", second,
             "port %d/%s is wanted twice on this host (%s)%s: the second bind fails", port,
             protocol, text,
             a->source == SOURCE_KIND && a->node != b->node ? ", and Kind compares no nodes" : "");
        fix(search, "give one of them another host port or address%s",
            a->source == SOURCE_KIND ? ", or hostPort: -1" : "");
    }
}

static bool numbers_overlap(const struct mapping *a, const struct mapping *b) {
    return a->host_port <= b->host_port_last && b->host_port <= a->host_port_last;
}

/* Each mapping against the earlier ones; the first that meets it is enough to say. */
static void find_pairs(const struct search *search, size_t index) {
    const struct plan_input *input = search->input;
    const struct mapping *mapping = &input->mappings[index];

    if (mapping_fate(mapping) != FATE_FIXED)
        return;
    for (size_t i = 0; i < index; i++) {
        const struct mapping *earlier = &input->mappings[i];
        enum meeting meeting;

        if (mapping_fate(earlier) != FATE_FIXED || !numbers_overlap(earlier, mapping) ||
            strcmp(mapping_protocol(earlier), mapping_protocol(mapping)) != 0)
            continue;
        meeting = addresses_overlap(&search->addresses[i], &search->addresses[index]);
        if (meeting == MEET_NOT || kind_compares(search, earlier, mapping))
            continue;
        warn_of_pair(search, i, index, meeting);
        return;
    }
}

static void find_api_server(const struct search *search, size_t index) {
    const struct plan_input *input = search->input;
    const struct mapping *mapping = &input->mappings[index];
    struct bound_to api;

    if (mapping->source != SOURCE_KIND || mapping->host_port != input->api_port ||
        mapping_fate(mapping) != FATE_FIXED || strcmp(mapping_protocol(mapping), "TCP") != 0)
        return;
    api = bound_to(input->api_address);
    if (addresses_overlap(&search->addresses[index], &api) == MEET_NOT)
        return;
    warn(search, "api-server", index,
         "port %d/TCP is the API server's as well (networking.apiServerPort): one bind fails",
         mapping->host_port);
    fix(search, "give the mapping another hostPort, or leave apiServerPort out");
}

/* A number of the mapping's for which `holds` is true, or -1. */
static int32_t first_port(const struct host_facts *facts, const struct mapping *mapping,
                          bool (*holds)(const struct host_facts *, int32_t)) {
    for (int32_t port = mapping->host_port; port <= mapping->host_port_last && port <= 65535;
         port++)
        if (holds(facts, port))
            return port;
    return -1;
}

static void find_number(const struct search *search, size_t index) {
    const struct host_facts *facts = search->facts;
    const struct mapping *mapping = &search->input->mappings[index];
    int32_t port;

    if (mapping->host_port <= 0)
        return;
    if ((port = first_port(facts, mapping, host_facts_in_range)) > 0) {
        warn(search, "local-range", index,
             "port %d lies in the local port range %d to %d: any outgoing connection may sit there "
             "when the runtime binds",
             port, facts->range_low, facts->range_high);
        fix(search,
            "take a number outside the range, or keep it out: sysctl "
            "net.ipv4.ip_local_reserved_ports=%d",
            port);
    }
    if ((port = first_port(facts, mapping, host_facts_reserved)) > 0) {
        warn(search, "reserved", index,
             "port %d is set aside by net.ipv4.ip_local_reserved_ports: somebody means to use it",
             port);
        fix(search, "check that it was set aside for this, or take another number");
    }
    if (mapping->host_port < facts->first_unprivileged) {
        warn(search, "privileged", index,
             "port %d needs a privilege to bind (below %d): a rootless runtime does not have it",
             mapping->host_port, facts->first_unprivileged);
        fix(search,
            "take a number from %d on, or lower the limit: sysctl "
            "net.ipv4.ip_unprivileged_port_start=%d",
            facts->first_unprivileged, mapping->host_port);
    }
}

static void find_address(const struct search *search, size_t index) {
    const struct mapping *mapping = &search->input->mappings[index];
    struct listen_address address = listen_address_parse(mapping->address);

    if (mapping->address[0] == '\0')
        return;
    if (!address.valid) {
        bool looked_at =
            kind_rule_of(search->release)->checks_addresses && mapping_fate(mapping) == FATE_FIXED;

        if (looked_at)
            return;
        warn(search, "no-address", index,
             "'%s' is not an IP address, which this release of Kind does not look at here, and the "
             "runtime refuses it",
             mapping->address);
        fix(search, "write the address as a number, 127.0.0.1 for example");
    } else if (!host_facts_local(search->facts, &address)) {
        warn(search, "not-local", index,
             "%s is not an address of this host: the bind fails with EADDRNOTAVAIL",
             mapping->address);
        fix(search, "take an address that this host has, or run the plan where it has it");
    }
}

static void find_container_port(const struct search *search, size_t index) {
    const struct mapping *mapping = &search->input->mappings[index];

    if (mapping->container_port != 0 && mapping->container_port != -1)
        return;
    warn(search, "container-port", index,
         "the container port is %d, which Kind lets pass, and on which nothing can listen",
         mapping->container_port);
    fix(search, "say the port on which the program in the node listens");
}

void plan_warnings_find(const struct plan_input *input, const struct kind_release *release,
                        const struct host_facts *facts, struct plan_warnings *warnings) {
    struct bound_to *addresses = calloc(input->count + 1, sizeof *addresses);
    struct search search = {input, addresses, release, facts, warnings};

    if (addresses == NULL)
        abort();
    for (size_t i = 0; i < input->count; i++)
        addresses[i] = bound_to(mapping_address(input, &input->mappings[i]));
    for (size_t i = 0; i < input->count; i++) {
        find_pairs(&search, i);
        find_api_server(&search, i);
        find_number(&search, i);
        find_address(&search, i);
        find_container_port(&search, i);
    }
    free(addresses);
}

void plan_warnings_free(struct plan_warnings *warnings) {
    for (size_t i = 0; i < warnings->count; i++) {
        free(warnings->list[i].text);
        free(warnings->list[i].fix);
    }
    free(warnings->list);
    *warnings = (struct plan_warnings){0};
}
