/* A plan for programs: one object, all its keys always there. */
#include <stdlib.h>
#include <string.h>

#include "harness/base/json_line.h"
#include "harness/base/names.h"
#include "harness/kind/plan.h"
#include "harness/kind/risk.h"

/* A number; where it is a range, the text FIRST-LAST. */
static json_t *range(int32_t first, int32_t last) {
    return first == last ? json_integer(first) : json_sprintf("%d-%d", first, last);
}

static json_t *by_runtime(const struct plan *plan, const struct mapping *mapping, bool risks) {
    json_t *object = json_object();

    for (unsigned i = 0; i < RUNTIME_COUNT; i++) {
        enum container_runtime runtime = (enum container_runtime)i;
        char *text =
            risks ? mapping_risk(&plan->input, mapping, &plan->release, runtime, &plan->facts)
                  : publish_argument(&plan->input, mapping, runtime);

        json_object_set_new(object, container_runtime_name(runtime), json_text_or_null(text));
        free(text);
    }
    return object;
}

static json_t *holders(const struct port_check *check, const char *protocol) {
    json_t *list = json_array();

    for (unsigned i = 0; i < check->holder_count; i++) {
        const struct port_holder *holder = &check->holders[i];
        char text[LISTEN_ADDRESS_TEXT_SIZE];
        json_t *object = json_object();

        json_object_set_new(object, "pid", json_number_or_null(holder->pid));
        json_object_set_new(object, "program",
                            json_text_or_null(holder->program[0] != '\0' ? holder->program : NULL));
        json_object_set_new(object, "uid", json_number(holder->uid));
        json_object_set_new(object, "address",
                            json_string(listen_address_text(text, &holder->address)));
        json_object_set_new(object, "state", json_string(port_state_name(holder->state, protocol)));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *check_json(const struct plan *plan, size_t index) {
    const struct port_check *check;
    const char *error;
    json_t *object;

    if (!plan_is_checked(plan, index))
        return json_null();
    check = &plan->checks[index];
    error = check->error != 0 ? name_of_error((unsigned)check->error) : NULL;
    object = json_object();
    json_object_set_new(object, "free",
                        check->freedom == PORT_UNKNOWN ? json_null()
                                                       : json_boolean(check->freedom == PORT_FREE));
    json_object_set_new(object, "port", json_number_or_null(check->port));
    json_object_set_new(object, "error", json_text_or_null(error));
    json_object_set_new(object, "holders",
                        holders(check, mapping_protocol(&plan->input.mappings[index])));
    return object;
}

static json_t *mapping_json(const struct plan *plan, size_t index) {
    const struct mapping *mapping = &plan->input.mappings[index];
    const char *address = mapping_address(&plan->input, mapping);
    json_t *object = json_object();

    json_object_set_new(object, "node", json_number(mapping->node));
    json_object_set_new(object, "name", json_text_or_null(plan->input.nodes[mapping->node].name));
    json_object_set_new(object, "line", json_number(mapping->line));
    json_object_set_new(object, "column", json_number(mapping->column));
    json_object_set_new(object, "container_port",
                        range(mapping->container_port, mapping->container_port_last));
    json_object_set_new(object, "host_port", range(mapping->host_port, mapping->host_port_last));
    json_object_set_new(object, "listen_address",
                        json_text_or_null(address[0] != '\0' ? address : NULL));
    json_object_set_new(object, "protocol", json_text_or_null(mapping_protocol(mapping)));
    json_object_set_new(object, "becomes", json_string(mapping_fate_name(mapping_fate(mapping))));
    json_object_set_new(object, "publish", by_runtime(plan, mapping, false));
    json_object_set_new(object, "lost", by_runtime(plan, mapping, true));
    json_object_set_new(object, "now", check_json(plan, index));
    return object;
}

static json_t *warning_json(const struct plan *plan, const struct plan_warning *warning) {
    const struct mapping *mapping = &plan->input.mappings[warning->mapping];
    json_t *object = json_object();

    json_object_set_new(object, "kind", json_string(warning->kind));
    json_object_set_new(object, "mapping", json_number(warning->mapping));
    json_object_set_new(object, "line", json_number(mapping->line));
    json_object_set_new(object, "column", json_number(mapping->column));
    json_object_set_new(object, "text", json_text_or_null(warning->text));
    json_object_set_new(object, "fix", json_text_or_null(warning->fix));
    return object;
}

void plan_json_write(const struct plan *plan) {
    char text[KIND_RELEASE_TEXT_SIZE];
    json_t *kind = json_object();
    json_t *mappings = json_array();
    json_t *warnings = json_array();
    json_t *object = json_object();

    json_object_set_new(kind, "version",
                        plan->input.from_kind ? json_string(kind_release_text(text, &plan->release))
                                              : json_null());
    json_object_set_new(kind, "error", json_text_or_null(plan->error));
    for (size_t i = 0; i < plan->input.count; i++)
        json_array_append_new(mappings, mapping_json(plan, i));
    for (size_t i = 0; i < plan->warnings.count; i++)
        json_array_append_new(warnings, warning_json(plan, &plan->warnings.list[i]));
    json_object_set_new(object, "kind", kind);
    json_object_set_new(object, "mappings", mappings);
    json_object_set_new(object, "warnings", warnings);
    json_line_write(object);
}
