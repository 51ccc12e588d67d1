/* What becomes of port mappings, before anything is started. */
#include "harness/kind/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/message.h"
#include "harness/base/text_file.h"
#include "harness/kind/cluster_file.h"
#include "harness/kind/publish_spec.h"
#include "harness/kind/release_verdict.h"
#include "harness/system/host_facts_read.h"

static bool bad_input(const char *name, const struct input_problem *problem) {
    return complain("plan", "%s:%zu:%zu: %s", name, problem->line, problem->column, problem->what);
}

static bool read_file(struct plan *plan) {
    struct input_problem problem;
    size_t length;
    char *text = text_file_read(plan->file, YAML_TREE_BYTES, &length);
    bool good;

    if (text == NULL)
        return complain("plan", "%s: %s", plan->file, strerror(errno));
    good = cluster_file_read(text, length, &plan->input, &problem);
    free(text);
    return good || bad_input(plan->file, &problem);
}

static bool read_specs(struct plan *plan, const struct plan_request *request) {
    plan_input_add_node(&plan->input, "-p");
    for (size_t i = 0; i < request->spec_count; i++) {
        struct mapping mapping = {.source = SOURCE_PUBLISH, .line = 1, .column = 1};
        struct input_problem problem;
        char name[200];

        snprintf(name, sizeof name, "-p %s", request->specs[i]);
        if (!publish_spec_read(request->specs[i], &mapping, &problem) ||
            !plan_input_add_mapping(&plan->input, &mapping, &problem))
            return bad_input(name, &problem);
    }
    return true;
}

bool plan_is_checked(const struct plan *plan, size_t index) {
    const struct mapping *mapping = &plan->input.mappings[index];
    enum mapping_fate fate = mapping_fate(mapping);

    return plan->checks != NULL && (fate == FATE_FIXED || fate == FATE_FROM_RANGE) &&
           mapping->host_port > 0 && mapping->host_port_last <= 65535;
}

static void check_now(struct plan *plan) {
    plan->checks = calloc(plan->input.count, sizeof *plan->checks);
    if (plan->checks == NULL)
        abort();
    for (size_t i = 0; i < plan->input.count; i++) {
        const struct mapping *mapping = &plan->input.mappings[i];

        if (plan_is_checked(plan, i))
            port_check(mapping_address(&plan->input, mapping), mapping_protocol(mapping),
                       mapping->host_port, mapping->host_port_last,
                       mapping_fate(mapping) == FATE_FROM_RANGE, &plan->checks[i]);
    }
}

bool plan_make(struct plan *plan, const struct plan_request *request) {
    *plan = (struct plan){.file = request->file,
                          .release =
                              request->release != NULL ? *request->release : kind_release_newest()};
    if (!(plan->file != NULL ? read_file(plan) : read_specs(plan, request)))
        return false;
    if (plan->input.from_kind)
        plan->error = kind_verdict(&plan->input, &plan->release);
    host_facts_read(&plan->facts);
    plan_warnings_find(&plan->input, &plan->release, &plan->facts, &plan->warnings);
    if (request->check_now)
        check_now(plan);
    return true;
}

void plan_free(struct plan *plan) {
    plan_warnings_free(&plan->warnings);
    host_facts_free(&plan->facts);
    plan_input_free(&plan->input);
    free(plan->checks);
    free(plan->error);
}
