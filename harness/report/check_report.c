/* What went wrong with ports in a run, and what nearly did. */
#include "harness/report/check_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/message.h"
#include "harness/base/progress.h"
#include "harness/base/statuses.h"
#include "harness/base/text_file.h"
#include "harness/check/check.h"
#include "harness/check/suppressions.h"
#include "harness/report/finding_json.h"
#include "harness/report/finding_list.h"
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

bool check_report_ready(const struct check_request *request) {
    struct suppressions suppressions = {0};
    bool good =
        request->suppressions == NULL || suppressions_read(&suppressions, request->suppressions);
    suppressions_free(&suppressions);
    return good;
}

/* false, with a complaint, where a file for it cannot be written. */
static bool write_json(const struct check_request *request, const struct check *check,
                       const struct suppressions *suppressions) {
    char *text = NULL;
    size_t length = 0;
    if (request->json_file == NULL) {
        finding_json_write(check, suppressions, request->json_to);
        return true;
    }
    FILE *to = open_memstream(&text, &length);
    if (to == NULL)
        return complain(NULL, "%s: %s", request->json_file, strerror(errno));
    finding_json_write(check, suppressions, to);
    bool good = fclose(to) == 0 && text_file_replace(request->json_file, text, length);
    free(text);
    return good;
}

static bool report(const struct check_request *request, const struct check *check,
                   const struct suppressions *suppressions) {
    const struct finding_list_options options = {.all = request->all,
                                                 .quiet = request->quiet,
                                                 .verbose = request->verbose,
                                                 .colour =
                                                     colour_is_wanted(request->colour, request->to),
                                                 .to = request->to};
    if (!request->json || request->json_file != NULL)
        finding_list_write(check, suppressions, &options);
    return !request->json || write_json(request, check, suppressions);
}

static int status_of(const struct check_request *request, const struct check *check) {
    if (is_failure(check, request->fail_on))
        return STATUS_FOUND;
    return request->strict && found_nothing(check) && check_is_incomplete(check) ? STATUS_INCOMPLETE
                                                                                 : STATUS_GOOD;
}

int check_report(const struct check_request *request) {
    struct suppressions suppressions = {0};
    struct check check = {0};
    uint64_t begin_ns = monotonic_ns();
    int status = STATUS_USAGE;
    if ((request->suppressions == NULL ||
         suppressions_read(&suppressions, request->suppressions)) &&
        check_run(&check, request->traces, request->count, show_progress, &begin_ns)) {
        progress_end();
        suppressions_apply(&suppressions, &check);
        if (report(request, &check, &suppressions))
            status = status_of(request, &check);
    }
    progress_end();
    check_free(&check);
    suppressions_free(&suppressions);
    return status;
}
