/* portwitness plan: what becomes of port mappings, before anything is started. */
#include "harness/cli/plan_command.h"

#include <errno.h>
#include <fcntl.h>
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/memory.h"
#include "harness/base/output.h"
#include "harness/base/text_file.h"
#include "harness/cli/commands.h"
#include "harness/kind/cluster_file.h"
#include "harness/kind/publish_spec.h"
#include "harness/kind/release_verdict.h"
#include "harness/system/host_facts_read.h"

static const char explanation[] =
    "\nReads a cluster file of Kind or a compose file (- for standard input), or the "
    "specifications\n"
    "given with -p, and tells of each port mapping what becomes of it, the argument that a "
    "container\n"
    "runtime gets, to whom the number can be lost, and what Kind says of the file. Warnings tell "
    "what\n"
    "Kind leaves unsaid. Nothing is started. The exit status is 0 if Kind takes the file, 1 if it\n"
    "refuses it or, with --fail-on-warning, there is a warning, 2 if the usage is wrong or the "
    "input\n"
    "is bad.\n";

struct choice {
    char *kind_version;
    int all_versions;
    int check_now;
    int fail_on_warning;
    int json;
    char **specs;
    size_t spec_count;
    size_t spec_room;
};

static int usage_error(const char *format, const char *value) {
    fputs("portwitness plan: ", stderr);
    fprintf(stderr, format, value);
    fputc('\n', stderr);
    return STATUS_USAGE;
}

/* One line, whatever the name holds. */
static void write_name(FILE *to, const char *name) {
    for (; *name != '\0'; name++)
        fputc((unsigned char)*name < ' ' || *name == 127 ? '?' : *name, to);
}

static int bad_input(const char *name, const struct input_problem *problem) {
    fputs("portwitness plan: ", stderr);
    write_name(stderr, name);
    fprintf(stderr, ":%zu:%zu: %s\n", problem->line, problem->column, problem->what);
    return STATUS_USAGE;
}

static int read_input_file(struct plan *plan) {
    struct input_problem problem;
    size_t length;
    char *text = text_file_read(plan->file, YAML_TREE_BYTES, &length);
    bool good;

    if (text == NULL) {
        int error = errno;

        fputs("portwitness plan: ", stderr);
        write_name(stderr, plan->file);
        fprintf(stderr, ": %s\n", strerror(error));
        return STATUS_USAGE;
    }
    good = cluster_file_read(text, length, &plan->input, &problem);
    free(text);
    return good ? 0 : bad_input(plan->file, &problem);
}

static int read_specs(struct plan *plan, const struct choice *choice) {
    plan_input_add_node(&plan->input, "-p");
    for (size_t i = 0; i < choice->spec_count; i++) {
        struct mapping mapping = {.source = SOURCE_PUBLISH, .line = 1, .column = 1};
        struct input_problem problem;
        char name[200];

        snprintf(name, sizeof name, "-p %s", choice->specs[i]);
        if (!publish_spec_read(choice->specs[i], &mapping, &problem) ||
            !plan_input_add_mapping(&plan->input, &mapping, &problem))
            return bad_input(name, &problem);
    }
    return 0;
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

static int make_plan(struct plan *plan, const struct choice *choice) {
    int status = plan->file != NULL ? read_input_file(plan) : read_specs(plan, choice);

    if (status != 0)
        return status;
    if (choice->all_versions && !plan->input.from_kind)
        return usage_error("%s", "--all-versions tells what Kind says of a cluster file; this is "
                                 "none");
    if (plan->input.from_kind)
        plan->error = kind_verdict(&plan->input, &plan->release);
    host_facts_read(&plan->facts);
    plan_warnings_find(&plan->input, &plan->release, &plan->facts, &plan->warnings);
    if (choice->check_now)
        check_now(plan);
    if (choice->all_versions)
        plan_text_write_rules(plan);
    else if (choice->json)
        plan_json_write(plan);
    else
        plan_text_write(plan);
    return plan->error != NULL || (choice->fail_on_warning && plan->warnings.count > 0) ? 1 : 0;
}

static void free_plan(struct plan *plan) {
    plan_warnings_free(&plan->warnings);
    host_facts_free(&plan->facts);
    plan_input_free(&plan->input);
    free(plan->checks);
    free(plan->error);
}

/* What the options and the file's name are, without having read it. 0 to go on. */
static int check_usage(struct plan *plan, const struct choice *choice, const char **files) {
    if (files != NULL && files[1] != NULL)
        return usage_error("one file at a time; '%s' is the second", files[1]);
    if (files != NULL && choice->spec_count > 0)
        return usage_error("-p or a file, not both: '%s'", files[0]);
    if (files == NULL && choice->spec_count == 0)
        return usage_error("%s", "no file named; see portwitness plan --help");
    if (choice->all_versions && choice->json)
        return usage_error("%s", "--all-versions and --json exclude each other; use --json with "
                                 "--kind-version");
    if (choice->all_versions && choice->kind_version != NULL)
        return usage_error("%s", "--all-versions and --kind-version exclude each other");
    plan->release = kind_release_newest();
    if (choice->kind_version != NULL && !kind_release_read(choice->kind_version, &plan->release))
        return usage_error("--kind-version %s: a release is vX.Y.Z, from v0.6.0 on, which was the "
                           "first to read kind.x-k8s.io/v1alpha4",
                           choice->kind_version);
    plan->file = files != NULL ? files[0] : NULL;
    return 0;
}

static int run_plan(poptContext context, struct choice *choice) {
    struct plan plan = {0};
    bool help = false;
    int status;
    int got;

    while ((got = poptGetNextOpt(context)) > 0) {
        if (got == 'h')
            help = true;
        if (got != 'p')
            continue;
        choice->specs = memory_grow(choice->specs, &choice->spec_room, choice->spec_count + 1,
                                    sizeof *choice->specs);
        choice->specs[choice->spec_count++] = poptGetOptArg(context);
    }
    if (got < -1) {
        fprintf(stderr, "portwitness plan: %s: %s\n",
                poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(got));
        return STATUS_USAGE;
    }
    if (help) {
        poptPrintHelp(context, stdout, 0);
        fputs(explanation, stdout);
        return 0;
    }
    status = check_usage(&plan, choice, poptGetArgs(context));
    if (status == 0)
        status = make_plan(&plan, choice);
    free_plan(&plan);
    return status;
}

int plan_command(int argc, char **argv) {
    struct choice choice = {0};
    const struct poptOption options[] = {
        {"publish", 'p', POPT_ARG_STRING, NULL, 'p',
         "Plan a mapping as `docker run -p` takes it, instead of a file; more than once for more",
         "SPEC"},
        {"kind-version", '\0', POPT_ARG_STRING, &choice.kind_version, 0,
         "What this release of Kind says (default: the newest known)", "vX.Y.Z"},
        {"all-versions", '\0', POPT_ARG_NONE, &choice.all_versions, 0,
         "Only what all releases of Kind say, a line a rule", NULL},
        {"check-now", '\0', POPT_ARG_NONE, &choice.check_now, 0,
         "Try whether the numbers are free here, and tell who has them", NULL},
        {"fail-on-warning", '\0', POPT_ARG_NONE, &choice.fail_on_warning, 0,
         "Exit with 1 if there is a warning", NULL},
        {"json", '\0', POPT_ARG_NONE, &choice.json, 0, "One JSON object", NULL},
        {"help", 'h', POPT_ARG_NONE, NULL, 'h', "Show this help and stop", NULL},
        POPT_TABLEEND};
    char title[] = "portwitness plan";
    poptContext context;
    int status;

    output_begin();
    argv[0] = title; /* popt names the program in its help by it */
    context = poptGetContext("portwitness", argc, (const char **)argv, options, 0);
    poptSetOtherOptionHelp(context, "[OPTIONS] CLUSTER.yaml");
    status = run_plan(context, &choice);
    for (size_t i = 0; i < choice.spec_count; i++)
        free(choice.specs[i]);
    free(choice.specs);
    free(choice.kind_version);
    poptFreeContext(context);
    if (!output_finish())
        return 1;
    return status;
}
