/* portwitness stress: a user's own tests under concurrency and under policies. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/output.h"
#include "harness/cli/commands.h"
#include "harness/stress/copies.h"
#include "harness/stress/stress_report.h"

enum { STATUS_FOUND = 1, STATUS_FAILED = 125, STATUS_SIGNALLED = 128 };

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
    return stress_found(session) ? STATUS_FOUND : 0;
}

int stress_command(int argc, char **argv) {
    static struct stress_session session;
    struct stress_options options;
    if (argc > 1 && strcmp(argv[1], COPIES_ARGUMENT) == 0)
        return copies_main(argc - 2, argv + 2);
    if (!stress_options_parse(&options, argc, argv))
        return STATUS_USAGE;
    if (options.help) {
        fputs(stress_options_help, stdout);
        return output_finish() ? 0 : 1;
    }
    session.options = &options;
    session.progress = stress_report_progress;
    take_signals();
    bool good = stress_run(&session);
    stress_report_progress_end();
    return conclude(&session, good);
}
