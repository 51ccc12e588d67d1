/* Whatever ends it, what is known by then is reported. */
#include "harness/stress/stress.h"

#include <signal.h>
#include <stdio.h>

#include "harness/base/output.h"
#include "harness/base/progress.h"
#include "harness/base/statuses.h"
#include "harness/stress/stress_report.h"

static void interrupt(int number) { round_interrupted = number; }

/* Without SA_RESTART, so that a wait for a round comes back. */
static void take_signals(void) {
    const struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

static int conclude(const struct stress_session *session, bool good) {
    output_begin();
    if (session->options->json)
        stress_report_json(session);
    else if (good || session->row_count > 0)
        stress_report_table(session);
    if (!output_finish() || !good)
        return STATUS_FAILED;
    if (session->interrupted)
        return STATUS_SIGNALLED + (int)round_interrupted;
    return stress_found(session) ? STATUS_FOUND : STATUS_GOOD;
}

int stress(const struct stress_options *options) {
    static struct stress_session session;
    session.options = options;
    session.progress = stress_report_progress;
    take_signals();
    bool good = stress_run(&session);
    progress_end();
    int status = conclude(&session, good);
    outcome_table_free(&session.tests);
    return status;
}
