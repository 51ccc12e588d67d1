/* What went wrong with ports in a run, and what nearly did. */
#include "harness/report/check_report.h"

#include "harness/base/progress.h"
#include "harness/base/statuses.h"
#include "harness/check/check.h"
#include "harness/check/suppressions.h"
#include "harness/report/finding_json.h"
#include "harness/report/finding_text.h"
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

int check_report(const struct check_request *request) {
    struct suppressions suppressions = {0};
    struct check check = {0};
    uint64_t begin_ns = monotonic_ns();
    const struct finding_text_options options = {
        .all = request->all, .quiet = request->quiet, .to = request->to};
    int status = STATUS_USAGE;
    if ((request->suppressions == NULL ||
         suppressions_read(&suppressions, request->suppressions)) &&
        check_run(&check, request->traces, request->count, show_progress, &begin_ns)) {
        progress_end();
        suppressions_apply(&suppressions, &check);
        if (request->json)
            finding_json_write(&check, &suppressions, request->to);
        else
            finding_text_write(&check, &suppressions, &options);
        status = is_failure(&check, request->fail_on) ? STATUS_FOUND : 0;
        if (status == 0 && request->strict && found_nothing(&check) && check_is_incomplete(&check))
            status = STATUS_INCOMPLETE;
    }
    progress_end();
    check_free(&check);
    suppressions_free(&suppressions);
    return status;
}
