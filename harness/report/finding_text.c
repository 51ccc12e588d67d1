/* Whoever finds a report in a log of ten thousand lines has a screen's worth of patience: what
 * lost, what came before, who took it, and what to do. Findings like one before are counted. */
#include "harness/report/finding_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "harness/base/message.h"
#include "harness/base/names.h"
#include "harness/report/finding_sides.h"
#include "harness/report/fix.h"
#include "harness/report/outside_holder.h"
#include "harness/report/policy_report.h"

#define RULE "=================="

struct writing {
    const struct check *check;
    struct source_lines *lines;
    FILE *to;
};

static const char *title_of(enum finding_kind kind) {
    static const char *const titles[FINDING_KINDS] = {
        [FINDING_LOST_RACE] = "a race for a port was lost",
        [FINDING_DOUBLE_HAND_OUT] = "one port was handed out to two who both relied on it",
        [FINDING_COLLISION] = "two announced one endpoint at the same time",
        [FINDING_MODEL_DISAGREEMENT] = "the kernel did what its rules forbid",
        [FINDING_RACE_WINDOW] = "anybody could have taken a port",
        [FINDING_ADDRESS_IN_USE] = "address already in use",
        [FINDING_REUSE_TRAP] = "SO_REUSEADDR let a bind succeed whose listen failed",
        [FINDING_SELF_CONNECT] = "a socket was connected to itself",
        [FINDING_STALE_PORT_CONNECT] = "another process answers at a port that was released",
        [FINDING_EXHAUSTED] = "no port was left",
        [FINDING_SHARED_PORT] = "two processes share a port",
        [FINDING_LEFTOVER_PROCESS] = "a process is left that holds ports",
    };
    return titles[kind] != NULL ? titles[kind] : finding_name(kind);
}

/* The stack where one was recorded, else the call's own place. */
static void write_place(const struct writing *writing, const struct call *call) {
    const struct check_stack *stack = check_stack_of(writing->check, call);
    char text[SIDE_TEXT_SIZE];
    if (stack == NULL) {
        side_site(writing->check, writing->lines, call, call->site, text);
        if (text[0] != '\0')
            message_write(writing->to, "    at %s", text);
        return;
    }
    const struct check_trace *trace = &writing->check->traces[call->trace];
    for (size_t i = 0; i < stack->count; i++) {
        uint64_t address = trace->addresses[stack->first + i];
        side_site(writing->check, writing->lines, call, address, text);
        if (text[0] != '\0')
            message_write(writing->to, "    #%zu %s", i, text);
        else
            message_write(writing->to, "    #%zu 0x%" PRIx64, i, address);
    }
}

static void write_call(const struct writing *writing, const char *heading,
                       const struct call *call) {
    const char *error = name_of_error(call->error);
    char name[SIDE_TEXT_SIZE];
    char process[SIDE_TEXT_SIZE];
    char time[SIDE_TEXT_SIZE];
    if (call->process == 0)
        return;
    message_write(writing->to, "  %s: %s%s%s", heading, side_call(call, name),
                  error != NULL ? " failed with " : "", error != NULL ? error : "");
    message_write(writing->to, "    at %s by %s",
                  side_time(writing->check, call, call->begin_ns, time),
                  side_process(writing->check, call, process));
    write_place(writing, call);
}

static const char *subject_heading(const struct finding *finding) {
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

static const char *other_heading(const struct finding *finding) {
    switch (finding->kind) {
    case FINDING_LOST_RACE:
        return finding->holder == HOLDER_TIME_WAIT ? "Its place was taken (TIME_WAIT now)"
                                                   : "Taken by";
    case FINDING_RACE_WINDOW:
        return "Used meanwhile by";
    case FINDING_DOUBLE_HAND_OUT:
        return "Bound by the first";
    case FINDING_STALE_PORT_CONNECT:
        return "Answered by";
    case FINDING_COLLISION:
        return "Announced before";
    case FINDING_LEFTOVER_PROCESS:
        return "Left behind when the command had ended";
    default:
        return finding->holder == HOLDER_TIME_WAIT ? "Held by the TIME_WAIT of" : "Held by";
    }
}

static void write_holder(const struct writing *writing, const struct finding *finding) {
    write_call(writing, other_heading(finding), &finding->other);
    write_call(writing, "Which had been given for port 0 by", &finding->other_assigned);
    if (finding->kind == FINDING_LEFTOVER_PROCESS)
        outside_holder_write_left(writing->check, finding, writing->to);
    else if (finding->holder == HOLDER_TABLE)
        outside_holder_write(writing->check, finding, writing->to);
    else if (finding->holder == HOLDER_TIME_WAIT && finding->other.process == 0)
        message_write(writing->to, "  Held by a connection that has ended (TIME_WAIT), as the "
                                   "kernel's table said then");
    else if (finding->holder == HOLDER_NOBODY)
        message_write(writing->to, "  No holder was seen");
}

static void write_window(const struct writing *writing, const struct finding *finding) {
    const struct call *assigned = &finding->assigned;
    char time[SIDE_TEXT_SIZE];
    if (assigned->process == 0 || finding->elsewhere)
        return;
    if (finding->released_to_ns != 0 && !finding->release_inferred)
        message_write(writing->to, "    released at %s",
                      side_time(writing->check, assigned, finding->released_to_ns, time));
    else
        message_write(writing->to, "    released at a time that was not seen");
    uint64_t from = finding->released_to_ns != 0 && !finding->release_inferred
                        ? finding->released_to_ns
                        : assigned->end_ns;
    if (finding->kind != FINDING_STALE_PORT_CONNECT && finding->subject.begin_ns > from)
        message_write(writing->to, "  Window: %s%" PRIu64 " us, in which anybody could have it",
                      finding->release_inferred ? "at most " : "",
                      (finding->subject.begin_ns - from) / 1000);
}

static void write_range(const struct writing *writing, const struct finding *finding) {
    if (finding->kind != FINDING_EXHAUSTED || finding->range_high == 0)
        return;
    message_write(
        writing->to,
        "  Range: %" PRIu32 " to %" PRIu32 ", %" PRIu32 " port%s, %" PRIu32
        " of them reserved; %" PRIu32 " held as the trace saw",
        finding->range_low, finding->range_high, finding->range_high - finding->range_low + 1,
        plural(finding->range_high - finding->range_low + 1), finding->reserved, finding->held);
}

static void write_fate(const struct writing *writing, const struct finding *finding) {
    int status = finding->status;
    char call[SIDE_TEXT_SIZE];
    if (finding->instead.process != 0)
        message_write(writing->to, "  Then it succeeded: %s", side_call(&finding->instead, call));
    if (finding->kind != FINDING_ADDRESS_IN_USE && finding->kind != FINDING_LOST_RACE)
        return;
    if (status >= 0 && WIFSIGNALED(status))
        message_write(writing->to, "  The process was ended by signal %d", WTERMSIG(status));
    else if (status >= 0)
        message_write(writing->to, "  The process ended with status %d", WEXITSTATUS(status));
}

static void write_summary(const struct writing *writing, const struct finding *finding) {
    const struct process *process = processes_find(
        &writing->check->traces[finding->subject.trace].processes, finding->subject.process);
    char endpoint[ENDPOINT_TEXT_SIZE] = "";
    char site[SIDE_TEXT_SIZE] = "";
    if (finding->endpoint.protocol != 0)
        endpoint_text(&finding->endpoint, endpoint);
    side_site(writing->check, writing->lines, &finding->subject, finding->subject.site, site);
    message_write(writing->to, "SUMMARY: portwitness: %s %s%s%s%s%s%s", finding_name(finding->kind),
                  endpoint, site[0] != '\0' ? " in " : "", site, process != NULL ? " (" : "",
                  process != NULL ? process->comm : "", process != NULL ? ")" : "");
}

static void write_finding(const struct writing *writing, const struct finding *finding) {
    const char *fix = fix_of(finding);
    message_write(writing->to, RULE);
    message_write(writing->to, "%s: portwitness: %s: %s (%s)",
                  finding->severity == SEVERITY_ERROR    ? "ERROR"
                  : finding->severity == SEVERITY_HAZARD ? "WARNING"
                                                         : "NOTE",
                  finding_name(finding->kind), title_of(finding->kind),
                  finding->certainty == CERTAIN ? "certain" : "possible");
    if (writing->check->trace_count > 1)
        message_write(writing->to, "  Trace: %s",
                      writing->check->traces[finding->subject.trace].path);
    write_call(writing, subject_heading(finding), &finding->subject);
    if (finding->times > 1)
        message_write(writing->to, "    %" PRIu64 " times", finding->times);
    write_call(writing,
               finding->elsewhere ? "The number had been given on another endpoint"
                                  : "The number had been given before",
               &finding->assigned);
    write_window(writing, finding);
    write_holder(writing, finding);
    write_range(writing, finding);
    write_fate(writing, finding);
    if (finding->marker != NULL)
        message_write(writing->to, "  Test: %s", finding->marker);
    message_write(writing->to, "  Processes:");
    side_family(writing->check, finding, writing->to);
    if (fix != NULL)
        message_write(writing->to, "  Fix: %s", fix);
    write_summary(writing, finding);
}

/* Is it like that one: of one kind, by programs of one name that called from the same places? */
static bool is_alike(const struct check *check, const struct finding *one,
                     const struct finding *other) {
    const struct process *a =
        processes_find(&check->traces[one->subject.trace].processes, one->subject.process);
    const struct process *b =
        processes_find(&check->traces[other->subject.trace].processes, other->subject.process);
    if (one->kind != other->kind || one->severity != other->severity ||
        one->certainty != other->certainty || a == NULL || b == NULL ||
        strcmp(a->comm, b->comm) != 0)
        return false;
    struct site first = side_module(check, &one->subject, one->subject.site);
    struct site second = side_module(check, &other->subject, other->subject.site);
    return first.offset == second.offset && (first.module == NULL) == (second.module == NULL) &&
           (first.module == NULL || strcmp(first.module, second.module) == 0);
}

static void write_more(const struct writing *writing, const struct finding *first, uint64_t more,
                       const char *ports) {
    if (more == 0)
        return;
    message_write(writing->to, "And %" PRIu64 " more %s like it: ports %s", more,
                  finding_name(first->kind), ports);
}

static void write_group(const struct writing *writing, bool *done, size_t first) {
    const struct findings *findings = &writing->check->findings;
    char ports[200] = "";
    size_t used = 0;
    uint64_t more = 0;
    write_finding(writing, &findings->list[first]);
    for (size_t i = first + 1; i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];
        if (done[i] || finding->suppressed || finding->kind != findings->list[first].kind ||
            !is_alike(writing->check, finding, &findings->list[first]))
            continue;
        done[i] = true;
        if (used + 16 < sizeof ports)
            used += (size_t)snprintf(ports + used, sizeof ports - used, "%s%u",
                                     more > 0 ? ", " : "", finding->endpoint.port);
        else if (strcmp(ports + used - 3, "...") != 0)
            used += (size_t)snprintf(ports + used, sizeof ports - used, ", ...");
        more++;
    }
    write_more(writing, &findings->list[first], more, ports);
}

static void write_policies(const struct writing *writing) {
    const struct check *check = writing->check;
    for (size_t i = 0; i < check->trace_count; i++)
        policy_report_write(check->trace_count > 1 ? check->traces[i].path : NULL,
                            check->traces[i].header.policy, &check->traces[i].policy, writing->to);
}

static void write_limits(const struct writing *writing) {
    const struct findings *findings = &writing->check->findings;
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];
        if (finding->kind < FINDING_INFERRED_RELEASE)
            continue;
        message_write(writing->to, "not seen: %s: %" PRIu64 " %s: %s",
                      writing->check->traces[finding->subject.trace].path, finding->times,
                      finding_name(finding->kind), finding->detail);
    }
}

static void write_verdict(const struct writing *writing, const struct suppressions *suppressions) {
    const struct findings *findings = &writing->check->findings;
    uint64_t count[SEVERITY_ERROR + 1] = {0};
    uint64_t suppressed = 0;
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->list[i].suppressed)
            suppressed++;
        else if (findings->list[i].kind < FINDING_INFERRED_RELEASE)
            count[findings->list[i].severity]++;
    }
    for (size_t i = 0; i < suppressions->count; i++)
        if (suppressions->list[i].used == 0)
            message_write(writing->to, "unused suppression, line %u: %s",
                          suppressions->list[i].line, suppressions->list[i].text);
    message_write(writing->to,
                  "portwitness: %s: %" PRIu64 " error%s, %" PRIu64 " hazard%s, %" PRIu64
                  " note%s, %" PRIu64 " suppressed",
                  check_verdict_name(check_verdict(writing->check)), count[SEVERITY_ERROR],
                  plural(count[SEVERITY_ERROR]), count[SEVERITY_HAZARD],
                  plural(count[SEVERITY_HAZARD]), count[SEVERITY_NOTE],
                  plural(count[SEVERITY_NOTE]), suppressed);
}

void finding_text_write(const struct check *check, const struct suppressions *suppressions,
                        const struct finding_text_options *options) {
    const struct findings *findings = &check->findings;
    struct writing writing = {.check = check, .lines = source_lines_make(), .to = options->to};
    bool *done = calloc(findings->count + 1, sizeof *done);
    bool any = false;
    for (size_t i = 0; done != NULL && i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];
        if (finding->kind >= FINDING_INFERRED_RELEASE || finding->suppressed || done[i])
            continue;
        any = true;
        if (options->all)
            write_finding(&writing, finding);
        else
            write_group(&writing, done, i);
    }
    if (any)
        message_write(options->to, RULE);
    if (!options->quiet)
        write_limits(&writing);
    if (!options->quiet || any)
        write_policies(&writing);
    if (!options->quiet || any)
        write_verdict(&writing, suppressions);
    free(done);
    source_lines_free(writing.lines);
}
