/* A test runner's worker ends with 0 though its tests failed, and its runner does not; a program
 * that took the next number has coped. So a refusal is as severe as what came of it. */
#include "harness/check/severity.h"

#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

#include "harness/check/ancestry.h"

/* The first program of a trace is the command of `run`. */
enum { COMMAND_SERIAL = 1 };

/* Ended by whoever ends tests, or by a person: says nothing of the program. */
static bool was_ended_by_somebody(int status) {
    static const int asked[] = {SIGHUP, SIGINT, SIGTERM, SIGKILL};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if ((WIFSIGNALED(status) && WTERMSIG(status) == asked[i]) ||
            (WIFEXITED(status) && WEXITSTATUS(status) == 128 + asked[i]))
            return true;
    return false;
}

static bool is_failure(int status) { return status > 0 && !was_ended_by_somebody(status); }

static int status_of_command(const struct machine *machine, const struct finding *finding) {
    uint64_t command =
        (uint64_t)finding->subject.trace << MACHINE_TAG_SHIFT | (uint64_t)COMMAND_SERIAL;
    return ancestry_status(machine, command);
}

/* The process failed, or the command as a whole did. */
static bool has_failed(const struct machine *machine, const struct finding *finding) {
    return is_failure(finding->status) || is_failure(status_of_command(machine, finding));
}

/* Who is refused what he has himself knows of it: where all ends well, a test that expects to be
 * refused, as a rule. */
static bool is_own(const struct machine *machine, const struct finding *finding) {
    uint64_t holder = finding->held_by != 0 ? finding->held_by : finding->other.process;
    return finding->kind == FINDING_ADDRESS_IN_USE && finding->holder == HOLDER_TRACE &&
           ancestry_is_same(machine, finding->other.process, finding->subject.process) &&
           ancestry_is_same(machine, holder, finding->subject.process);
}

/* It had the number from port 0, has the socket, and named the number all the same. */
static bool is_meant(const struct machine *machine, const struct finding *finding) {
    return is_own(machine, finding) && finding->how == HOW_BOUND &&
           finding->other.requested_port == 0;
}

/* Where only the loss itself is certain, or may have been expected. */
static void set_of_race(struct finding *finding, bool failed) {
    bool asked_anew = finding->instead.process != 0 && finding->instead.requested_port == 0;
    if (finding->explained || (asked_anew && finding->status == 0 && !failed))
        finding->severity = SEVERITY_NOTE;
}

void severity_set(const struct machine *machine, struct finding *finding) {
    bool failed = has_failed(machine, finding);
    switch (finding->kind) {
    case FINDING_LOST_RACE:
        set_of_race(finding, failed);
        return;
    case FINDING_ADDRESS_IN_USE:
    case FINDING_REUSE_TRAP:
    case FINDING_EXHAUSTED:
    case FINDING_SELF_CONNECT:
    case FINDING_STALE_PORT_CONNECT:
    case FINDING_SHARED_PORT:
        break;
    default:
        return;
    }
    bool coped = finding->instead.process != 0 && finding->cause != CAUSE_OTHER_FAMILY;
    bool started_again = finding->started_again && !is_failure(status_of_command(machine, finding));
    if (coped || started_again || finding->is_step || is_meant(machine, finding) ||
        (!failed && is_own(machine, finding)))
        finding->severity = SEVERITY_NOTE;
    else if (failed && (finding->kind != FINDING_SHARED_PORT || finding->both_served))
        finding->severity = SEVERITY_ERROR;
}
