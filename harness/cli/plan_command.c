/* portwitness plan: what becomes of port mappings, before anything is started. */
#include <stdlib.h>

#include "harness/base/memory.h"
#include "harness/base/output.h"
#include "harness/base/statuses.h"
#include "harness/cli/commands.h"
#include "harness/kind/plan.h"

enum {
    OPTION_KIND_VERSION = 256,
    OPTION_ALL_VERSIONS,
    OPTION_CHECK_NOW,
    OPTION_FAIL_ON_WARNING,
    OPTION_JSON
};

static const struct argp_option options[] = {
    {"publish", 'p', "SPEC", 0,
     "Plan a mapping as `docker run -p` takes it, instead of a file; may be repeated", 0},
    {"kind-version", OPTION_KIND_VERSION, "vX.Y.Z", 0,
     "What this release of Kind says (default: the newest known)", 0},
    {"all-versions", OPTION_ALL_VERSIONS, NULL, 0,
     "Only what all releases of Kind say, a line a rule", 0},
    {"check-now", OPTION_CHECK_NOW, NULL, 0,
     "Try whether the ports are free here, and show who has them", 0},
    {"fail-on-warning", OPTION_FAIL_ON_WARNING, NULL, 0, "Exit status 1 if there is a warning", 0},
    {"json", OPTION_JSON, NULL, 0, "One JSON object", 0},
    {0}};

struct choice {
    struct plan_request request;
    struct kind_release release;
    const char **specs;
    size_t spec_room;
    bool all_versions;
    bool fail_on_warning;
    bool json;
};

static bool take_spec(struct choice *choice, const char *spec) {
    struct plan_request *request = &choice->request;
    choice->specs = memory_grow(choice->specs, &choice->spec_room, request->spec_count + 1,
                                sizeof *choice->specs);
    choice->specs[request->spec_count++] = spec;
    return true;
}

static bool take_version(struct choice *choice, const struct option_value *value) {
    choice->request.release = &choice->release;
    return kind_release_read(value->text, &choice->release) ||
           option_wrong(value, "must be vX.Y.Z, from v0.6.0 on, which was the first to read "
                               "kind.x-k8s.io/v1alpha4");
}

static bool take(void *into, const struct option_value *value) {
    struct choice *choice = into;
    switch (value->key) {
    case 'p':
        return take_spec(choice, value->text);
    case OPTION_KIND_VERSION:
        return take_version(choice, value);
    case OPTION_ALL_VERSIONS:
        return choice->all_versions = true;
    case OPTION_CHECK_NOW:
        return choice->request.check_now = true;
    case OPTION_FAIL_ON_WARNING:
        return choice->fail_on_warning = true;
    default:
        return choice->json = true;
    }
}

/* What the options and the file's name are, without having read it. 0 to go on. */
static int check_usage(struct choice *choice, char *const *files) {
    if (files[0] != NULL && choice->request.spec_count > 0)
        return usage_error(&plan_command, "-p or a file, not both: '%s'", files[0]);
    if (files[0] == NULL && choice->request.spec_count == 0)
        return usage_error(&plan_command, "missing operand: CLUSTER.yaml");
    if (files[0] != NULL && files[1] != NULL)
        return usage_error(&plan_command, "extra operand '%s': one file at a time", files[1]);
    if (choice->all_versions && choice->json)
        return usage_error(&plan_command, "--all-versions and --json exclude each other; use "
                                          "--json with --kind-version");
    if (choice->all_versions && choice->request.release != NULL)
        return usage_error(&plan_command, "--all-versions and --kind-version exclude each other");
    choice->request.file = files[0];
    choice->request.specs = choice->specs;
    return 0;
}

static int show(const struct plan *plan, const struct choice *choice) {
    if (choice->all_versions && !plan->input.from_kind)
        return usage_error(&plan_command, "--all-versions shows what Kind says of a cluster file, "
                                          "and this is none");
    if (choice->all_versions)
        plan_text_write_rules(plan);
    else if (choice->json)
        plan_json_write(plan);
    else
        plan_text_write(plan);
    return plan->error != NULL || (choice->fail_on_warning && plan->warnings.count > 0)
               ? STATUS_FOUND
               : STATUS_GOOD;
}

static int run(int argc, char **argv) {
    struct choice choice = {0};
    struct plan plan = {0};
    char **files;
    int status;

    output_begin();
    if (options_parse(&plan_command, argc, argv, &choice, &files, &status)) {
        status = check_usage(&choice, files);
        if (status == 0)
            status = plan_make(&plan, &choice.request) ? show(&plan, &choice) : STATUS_USAGE;
        plan_free(&plan);
        if (!output_finish())
            status = STATUS_UNWRITTEN;
    }
    free(choice.specs);
    return status;
}

const struct command plan_command = {
    .name = "plan",
    .summary = "Shows what becomes of a cluster file's port mappings",
    .operands = "CLUSTER.yaml\n-p SPEC...",
    .about = "Reads a cluster file of Kind or a compose file (- for standard input), or the "
             "specifications given with -p, and shows for each port mapping what becomes of it, "
             "the argument that a container runtime gets, to whom the number can be lost, and what "
             "Kind says of the file. Nothing is started.",
    .notes = "Warnings are about what Kind leaves unsaid. The exit status is 0 if Kind takes the "
             "file, 1 if it refuses it or, with --fail-on-warning, there is a warning, 2 if the "
             "usage is wrong or the input is bad.",
    .examples = {"plan --check-now cluster.yaml", "plan -p 8080:80 -p 127.0.0.1::443"},
    .wrong_usage = STATUS_USAGE,
    .options = options,
    .take = take,
    .run = run};
