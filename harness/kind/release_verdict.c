/* The checks and texts of kubernetes-sigs/kind, pkg/internal/apis/config/validate.go (Validate,
 * validatePortMappings, validatePort), pkg/apis/config/v1alpha4/yaml.go and
 * pkg/internal/apis/config/encoding/load.go, by release; how several errors are put together is in
 * pkg/errors/aggregate_forked.go: each text once, in brackets where there are several. */
#include "harness/kind/release_verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/kind/quoted.h"

struct errors {
    char **texts;
    size_t count;
    size_t room;
};

static void add_error(struct errors *errors, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_error(struct errors *errors, const char *format, ...) {
    va_list arguments;
    char *text;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    va_end(arguments);
    errors->texts =
        memory_grow(errors->texts, &errors->room, errors->count + 1, sizeof *errors->texts);
    errors->texts[errors->count++] = text;
}

static bool stands_before(const struct errors *errors, size_t index) {
    for (size_t i = 0; i < index; i++)
        if (strcmp(errors->texts[i], errors->texts[index]) == 0)
            return true;
    return false;
}

/* The errors as one text, or NULL if there are none. Drops them. */
static char *aggregate(struct errors *errors) {
    char *all = NULL;
    char *bracketed = NULL;
    size_t length;
    size_t written = 0;
    FILE *to;

    if (errors->count == 0)
        return NULL;
    to = open_memstream(&all, &length);
    if (to == NULL)
        abort();
    for (size_t i = 0; i < errors->count; i++)
        if (!stands_before(errors, i))
            fprintf(to, "%s%s", written++ > 0 ? ", " : "", errors->texts[i]);
    fclose(to);
    for (size_t i = 0; i < errors->count; i++)
        free(errors->texts[i]);
    free(errors->texts);
    if (written == 1)
        return all;
    if (asprintf(&bracketed, "[%s]", all) < 0)
        abort();
    free(all);
    return bracketed;
}

static bool is_port(const struct kind_rule *rule, int32_t port) {
    return port >= (rule->refuses_minus_one ? 0 : -1) && port <= 65535;
}

/* What Kind's set of taken places holds of a mapping. */
struct place {
    const struct mapping *mapping;
    struct listen_address address; /* :: folded into 0.0.0.0 */
};

static bool same_key(const struct mapping *a, const struct mapping *b) {
    return a->host_port == b->host_port && strcmp(a->protocol, b->protocol) == 0;
}

/* Is the newcomer refused beside those that were taken before it? */
static bool is_taken(const struct place *places, size_t count, const struct place *newcomer) {
    for (size_t i = 0; i < count; i++)
        if (same_key(places[i].mapping, newcomer->mapping) &&
            (listen_address_is_any_v4(&newcomer->address) ||
             listen_address_is_any_v4(&places[i].address) ||
             listen_address_equal(&places[i].address, &newcomer->address)))
            return true;
    return false;
}

/* Kind's validatePortMappings for one node, whose mappings are `count` from `first`. Its first
 * error ends it. */
static void check_places(const struct mapping *first, size_t count, const struct kind_rule *rule,
                         struct errors *errors) {
    static const char refused[] =
        "port mapping with same listen address, port and protocol already configured";
    struct place *places = calloc(count + 1, sizeof *places);
    size_t taken = 0;

    if (places == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        const struct mapping *mapping = &first[i];
        struct place *place = &places[taken];
        char text[LISTEN_ADDRESS_TEXT_SIZE];

        if (!rule->compares_picks && (mapping->host_port == 0 || mapping->host_port == -1))
            continue;
        place->mapping = mapping;
        place->address = listen_address_parse(
            rule->checks_addresses && mapping->address[0] == '\0' ? "0.0.0.0" : mapping->address);
        if (rule->checks_addresses && !place->address.valid) {
            add_error(errors, "invalid portMapping: invalid listen address: %s", mapping->address);
            break;
        }
        listen_address_text(text, &place->address);
        if (listen_address_is_any_v6(&place->address))
            place->address = listen_address_parse("0.0.0.0");
        if (is_taken(places, taken, place)) {
            add_error(errors, "invalid portMapping: %s: %s:%d/%s", refused, text,
                      mapping->host_port, mapping->protocol);
            break;
        }
        taken++;
    }
    free(places);
}

static char *check_node(const struct plan_input *input, size_t node, const struct mapping *first,
                        size_t count, const struct kind_rule *rule) {
    const char *role = input->nodes[node].name;
    struct errors errors = {0};

    if (strcmp(role, "control-plane") != 0 && strcmp(role, "worker") != 0) {
        char *quotation = quoted(role);

        add_error(&errors, "%s is not a valid node role", quotation);
        free(quotation);
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_port(rule, first[i].host_port))
            add_error(&errors, "invalid hostPort: invalid port number: %d", first[i].host_port);
        if (!is_port(rule, first[i].container_port))
            add_error(&errors, "invalid containerPort: invalid port number: %d",
                      first[i].container_port);
    }
    if (rule->compares)
        check_places(first, count, rule, &errors);
    return aggregate(&errors);
}

static void check_cluster(const struct plan_input *input, const struct kind_release *release,
                          struct errors *errors) {
    static const struct kind_release checks_family = {0, 23, 0};
    const char *family = input->ip_family;

    if (input->api_port != 0 && !is_port(kind_rule_of(release), input->api_port))
        add_error(errors, "invalid apiServerPort: invalid port number: %d", input->api_port);
    if (kind_release_compare(release, &checks_family) >= 0 && strcmp(family, "ipv4") != 0 &&
        strcmp(family, "ipv6") != 0 && strcmp(family, "dual") != 0)
        add_error(errors, "invalid ipFamily: %s", family);
}

static char *decode_error(const struct plan_input *input, const struct kind_rule *rule) {
    const char *what = input->decode_error;
    char *text;

    if (rule->refuses_no_protocol && input->empty_protocol)
        what = "Unknown PortMappingProtocol: \"\"";
    if (what == NULL)
        what = input->unknown_keys;
    if (what == NULL)
        return NULL;
    if (asprintf(&text, "unable to decode config: %s", what) < 0)
        abort();
    return text;
}

char *kind_verdict(const struct plan_input *input, const struct kind_release *release) {
    const struct kind_rule *rule = kind_rule_of(release);
    struct errors errors = {0};
    /* Without nodes Kind makes one, a control plane (SetDefaultsCluster in v1alpha4/default.go). */
    bool control_plane = input->node_count == 0;
    size_t next = 0;
    char *text = decode_error(input, rule);

    if (text != NULL)
        return text;
    check_cluster(input, release, &errors);
    for (size_t node = 0; node < input->node_count; node++) {
        size_t first = next;

        while (next < input->count && input->mappings[next].node == node)
            next++;
        control_plane = control_plane || strcmp(input->nodes[node].name, "control-plane") == 0;
        text = check_node(input, node, input->mappings + first, next - first, rule);
        if (text != NULL)
            add_error(&errors, "invalid configuration for node %zu: %s", node, text);
        free(text);
    }
    if (!control_plane)
        add_error(&errors, "must have at least one control-plane node");
    return aggregate(&errors);
}
