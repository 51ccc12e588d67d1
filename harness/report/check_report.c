/* What went wrong with ports in a run, and what nearly did. */
#include "harness/report/check_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/message.h"
#include "harness/base/progress.h"
#include "harness/base/statuses.h"
#include "harness/base/text_file.h"
#include "harness/check/check.h"
#include "harness/check/suppressions.h"
#include "harness/report/baseline_update.h"
#include "harness/report/finding_json.h"
#include "harness/report/finding_list.h"
#include "harness/report/known_findings.h"
#include "shim/shared/recorder.h"

/* What takes no longer shows nothing. */
#define SILENT_NS UINT64_C(1000000000)

static void show_progress(void *with, const char *path, unsigned pass, unsigned passes,
                          double part) {
    const uint64_t *begin_ns = with;
    if (monotonic_ns() - *begin_ns >= SILENT_NS)
        progress_show(part, "reading %u of %u: %.40s", pass, passes, path);
}

static bool is_failure(const struct check *check, enum fail_on fail_on) {
    enum check_verdict verdict = check_verdict(check);
    return (verdict == VERDICT_FINDINGS && fail_on != FAIL_ON_NEVER) ||
           (verdict == VERDICT_HAZARDS && fail_on == FAIL_ON_HAZARD);
}

static bool found_nothing(const struct check *check) {
    enum check_verdict verdict = check_verdict(check);
    return verdict == VERDICT_CLEAN || verdict == VERDICT_INCOMPLETE;
}

/* What is read beside the traces. */
struct inputs {
    struct suppressions suppressions;
    struct baseline baseline;
};

/* A baseline that is to be written need not be there, but what is there must be one. */
static bool read_baseline(const struct check_request *request, struct baseline *baseline) {
    if (request->baseline == NULL ||
        (request->update_baseline && access(request->baseline, F_OK) != 0 && errno == ENOENT))
        return true;
    return baseline_read(baseline, request->baseline);
}

static bool read_inputs(const struct check_request *request, struct inputs *inputs) {
    *inputs = (struct inputs){.baseline = {0}};
    return (request->suppressions == NULL ||
            suppressions_read(&inputs->suppressions, request->suppressions)) &&
           read_baseline(request, &inputs->baseline);
}

static void free_inputs(struct inputs *inputs) {
    suppressions_free(&inputs->suppressions);
    baseline_free(&inputs->baseline);
}

/* The file of --json must not take the place of what is read, or of the trace. */
static bool is_apart(const struct check_request *request) {
    const char *file = request->json_file;
    const char *const others[] = {request->suppressions, request->baseline};
    for (size_t i = 0; file != NULL && i < sizeof others / sizeof *others; i++)
        if (others[i] != NULL && text_file_is_one(file, others[i]))
            return complain(
                NULL, "%s: is also named as a file to read, so --json must not write it", file);
    for (size_t i = 0; file != NULL && i < request->count; i++)
        if (text_file_is_one(file, request->traces[i]))
            return complain(NULL, "%s: is also named as a trace, so --json must not write it",
                            file);
    return true;
}

static bool is_writable(const struct check_request *request) {
    return (!request->update_baseline || text_file_can_replace(request->baseline)) &&
           (request->json_file == NULL || text_file_can_replace(request->json_file));
}

bool check_report_ready(const struct check_request *request) {
    char why[TEXT_FILE_WHY_BYTES];
    struct inputs inputs;
    /* It will be read again when the command has ended. */
    if (request->suppressions != NULL && !text_file_is_regular(request->suppressions, why))
        return complain(NULL, "%s: %s", request->suppressions, why);
    bool good = read_inputs(request, &inputs) && is_apart(request) && is_writable(request);
    free_inputs(&inputs);
    return good;
}

/* false, with a complaint, where the baseline cannot be written. */
static bool apply(const struct check_request *request, struct inputs *inputs, struct check *check) {
    suppressions_apply(&inputs->suppressions, check);
    if (request->update_baseline)
        return baseline_update(&inputs->baseline, check, request->baseline);
    known_findings_mark(&inputs->baseline, check);
    return true;
}

/* false, with a complaint, where a file for it cannot be written. */
static bool write_json(const struct check_request *request, const struct check *check,
                       const struct inputs *inputs) {
    const struct baseline *baseline = request->baseline != NULL ? &inputs->baseline : NULL;
    char *text = NULL;
    size_t length = 0;
    if (request->json_file == NULL) {
        finding_json_write(check, &inputs->suppressions, baseline, request->json_to);
        return true;
    }
    FILE *to = open_memstream(&text, &length);
    if (to == NULL)
        return complain(NULL, "%s: %s", request->json_file, strerror(errno));
    finding_json_write(check, &inputs->suppressions, baseline, to);
    bool good = fclose(to) == 0 && text_file_replace(request->json_file, text, length);
    free(text);
    return good;
}

static bool report(const struct check_request *request, const struct check *check,
                   const struct inputs *inputs) {
    const struct finding_list_options options = {.all = request->all,
                                                 .quiet = request->quiet,
                                                 .verbose = request->verbose,
                                                 .colour =
                                                     colour_is_wanted(request->colour, request->to),
                                                 .to = request->to};
    if (!request->json || request->json_file != NULL)
        finding_list_write(check, &inputs->suppressions, &inputs->baseline, &options);
    return !request->json || write_json(request, check, inputs);
}

static int status_of(const struct check_request *request, const struct check *check) {
    if (is_failure(check, request->fail_on))
        return STATUS_FOUND;
    return request->strict && found_nothing(check) && check_is_incomplete(check) ? STATUS_INCOMPLETE
                                                                                 : STATUS_GOOD;
}

/* --host-id is for machines with one boot id, and is given to one trace of a machine by mistake. */
static void warn_of_hosts(const struct check *check) {
    static const uint8_t unknown[sizeof check->traces->header.boot_id];
    for (size_t i = 1; i < check->trace_count; i++) {
        const struct check_trace *trace = &check->traces[i];
        if (memcmp(trace->header.boot_id, unknown, sizeof unknown) == 0)
            continue;
        for (size_t j = 0; j < i; j++)
            if (memcmp(trace->header.boot_id, check->traces[j].header.boot_id, sizeof unknown) ==
                    0 &&
                !check_is_same_machine(trace, &check->traces[j])) {
                complain(NULL,
                         "traces %s and %s have one boot id and two host ids: they are held "
                         "apart",
                         check->traces[j].path, trace->path);
                return;
            }
    }
}

int check_report(const struct check_request *request) {
    struct inputs inputs;
    struct check check = {0};
    uint64_t begin_ns = monotonic_ns();
    int status = STATUS_USAGE;
    if (read_inputs(request, &inputs) && is_apart(request) &&
        check_run(&check, request->traces, request->count, show_progress, &begin_ns)) {
        progress_end();
        warn_of_hosts(&check);
        bool good = apply(request, &inputs, &check);
        if (report(request, &check, &inputs) && good)
            status = status_of(request, &check);
    }
    progress_end();
    check_free(&check);
    free_inputs(&inputs);
    return status;
}
