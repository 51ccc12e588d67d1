/* The short form and the full one differ in what they leave out, not in what they call it. */
#include "harness/report/finding_words.h"

#include <errno.h>
#include <stddef.h>

#include "harness/base/names.h"
#include "harness/report/generations.h"

/* It is not known in which order a process asked. */
const char finding_no_holder[] =
    "  No holder was seen; the kernel is asked for the first 64 refusals of a process only";

const char *finding_failure(const struct call *call) {
    bool goes_on = call->kind == PW_KIND_CONNECT && call->error == EINPROGRESS;
    return goes_on ? NULL : name_of_error(call->error);
}

const char *finding_inferred(const struct call *call) {
    return call->error != 0 && call->is_inferred ? " (inferred)" : "";
}

bool finding_is_of_one_process(const struct check *check, const struct finding *finding) {
    const struct call *one = &finding->subject;
    const struct call *other = &finding->other;
    const struct processes *processes = &check->traces[one->trace].processes;
    const struct process *process = processes_find(processes, one->process);
    const struct process *another = processes_find(processes, other->process);
    return one->trace == other->trace && finding->held_by == 0 && process != NULL &&
           another != NULL && generations_are_one(process, another);
}

const char *finding_subject_heading(const struct finding *finding) {
    switch (finding->kind) {
    case FINDING_LOST_RACE:
        return "Lost";
    case FINDING_RACE_WINDOW:
        return "Bound by number, which succeeded";
    case FINDING_DOUBLE_HAND_OUT:
        return "Bound by the second";
    case FINDING_STALE_PORT_CONNECT:
        return "Connected";
    case FINDING_COLLISION:
        return "Announced";
    case FINDING_LEFTOVER_PROCESS:
        return "Bound";
    default:
        return "Call";
    }
}

const char *finding_assigned_heading(const struct finding *finding) {
    switch (finding->cause) {
    case CAUSE_PROBED_BY_NUMBER:
        return "Bound before, to see whether it is free, by";
    case CAUSE_HELD_PAIR:
        return "The same number is held by";
    case CAUSE_NEIGHBOUR:
        return "The number it was counted from was given to";
    case CAUSE_PICKED_ELSEWHERE:
        return "Picked on another endpoint by";
    case CAUSE_OTHER_NAMESPACE:
        return "Picked in another network namespace by";
    default:
        break;
    }
    return finding->assigned.requested_port != 0 ? "Bound before by" : "Given for port 0 to";
}

const char *finding_other_heading(const struct finding *finding) {
    if (finding->how == HOW_INHERITED && finding->holder == HOLDER_TABLE)
        return "Bound by";
    if (finding->how == HOW_ACCEPTED)
        return "Held by a connection that a listener accepted, open in";
    if (finding->how == HOW_CONNECTION)
        return "Held as the source port of a connection of";
    switch (finding->kind) {
    case FINDING_LOST_RACE:
        return finding->holder == HOLDER_TIME_WAIT ? "Its place was taken (TIME_WAIT now) by"
                                                   : "Taken by";
    case FINDING_RACE_WINDOW:
        return "Used meanwhile by";
    case FINDING_DOUBLE_HAND_OUT:
        return "Bound first by";
    case FINDING_STALE_PORT_CONNECT:
        return "Answered by";
    case FINDING_COLLISION:
        return "Announced before by";
    case FINDING_LEFTOVER_PROCESS:
        return "Left behind when the command had ended";
    default:
        return finding->holder == HOLDER_TIME_WAIT ? "Held by the TIME_WAIT of" : "Held by";
    }
}

const char *finding_how_text(const struct check *check, const struct finding *finding) {
    const struct processes *processes = &check->traces[finding->other.trace].processes;
    const struct process *holder = processes_find(processes, finding->held_by);
    switch (finding->how) {
    case HOW_INHERITED:
        if (holder == NULL)
            return "which inherited it";
        return holder->by_exec ? "which inherited it at exec" : "which inherited it at a fork";
    case HOW_PASSED:
        return "which was sent it";
    default:
        return NULL;
    }
}

bool finding_was_released(const struct finding *finding) {
    return !cause_is_other_pick(finding->cause) && finding->cause != CAUSE_HELD_PAIR &&
           finding->cause != CAUSE_NEIGHBOUR;
}

uint64_t finding_window_ns(const struct finding *finding) {
    uint64_t from = finding->released_to_ns != 0 && !finding->release_inferred
                        ? finding->released_to_ns
                        : finding->assigned.end_ns;
    if (finding->assigned.process == 0 || finding->kind == FINDING_STALE_PORT_CONNECT ||
        finding->kind == FINDING_ADDRESS_IN_USE || !finding_was_released(finding) ||
        finding->subject.begin_ns < from)
        return 0;
    return finding->subject.begin_ns - from;
}

const char *finding_window_words(const struct finding *finding) {
    return finding->subject.was_kept ? "in which --policy keep held it for the run"
                                     : "in which anybody could have it";
}
