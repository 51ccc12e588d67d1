/* The form that --verbose asks for: both calls in full, with what came before, every frame, and the
 * processes above. */
#include "harness/report/finding_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include "harness/base/message.h"
#include "harness/base/names.h"
#include "harness/report/call_place.h"
#include "harness/report/finding_tests.h"
#include "harness/report/finding_words.h"
#include "harness/report/fix.h"
#include "harness/report/outside_holder.h"
#include "harness/report/process_tree.h"
#include "harness/report/run_clock.h"

static const char *title_of(const struct check *check, const struct finding *finding) {
    enum finding_kind kind = finding->kind;
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
    if (kind == FINDING_SHARED_PORT && finding_is_of_one_process(check, finding))
        return "two sockets share a port";
    if (kind == FINDING_RACE_WINDOW && finding->subject.was_kept)
        return "without --policy keep anybody could have taken a port";
    return titles[kind] != NULL ? titles[kind] : finding_name(kind);
}

void finding_heading_write(const struct finding_writer *writing, enum colour colour,
                           const char *heading, const char *format, ...) {
    char text[8192];
    va_list arguments;
    va_start(arguments, format);
    message_put(text, sizeof text, format, arguments);
    va_end(arguments);
    colour_write(writing->to, writing->colour ? colour : COLOUR_NONE, heading);
    fprintf(writing->to, "%s\n", text);
}

void finding_text_head(const struct finding_writer *writing, const struct finding *finding) {
    static const struct {
        const char *word;
        enum colour colour;
    } of[] = {[SEVERITY_NOTE] = {"NOTE:", COLOUR_CYAN},
              [SEVERITY_HAZARD] = {"WARNING:", COLOUR_YELLOW},
              [SEVERITY_ERROR] = {"ERROR:", COLOUR_RED}};
    const char *cause = cause_name(finding->cause);
    finding_heading_write(
        writing, of[finding->severity].colour, of[finding->severity].word,
        " portwitness: %s: %s (%s)%s%s%s", finding_name(finding->kind),
        title_of(writing->check, finding), finding->certainty == CERTAIN ? "certain" : "possible",
        cause != NULL ? " [" : "", cause != NULL ? cause : "", cause != NULL ? "]" : "");
}

/* The user's frames come first, and then where the interpreter made the call. */
static void write_frames(const struct finding_writer *writing, const struct call *call,
                         const struct check_frames *frames) {
    const struct strings *strings = &writing->check->traces[call->trace].strings;
    const char *thread = strings_first(strings, frames->thread);
    char text[SIDE_TEXT_SIZE];
    for (size_t i = 0; i < frames->count; i++) {
        const struct frame_text frame = check_frame(writing->check, call, frames, i);
        const char *of = frame.of != PW_FRAME_USER ? name_of_frame_owner(frame.of) : NULL;
        place_words(frame.function, frame.file, frame.line, text);
        message_write(writing->to, "    #%zu %s%s%s%s", i, text[0] != '\0' ? text : "?",
                      of != NULL ? " (" : "", of != NULL ? of : "", of != NULL ? ")" : "");
    }
    if (thread != NULL)
        message_write(writing->to, "    in thread %s", thread);
}

static void write_stack(const struct finding_writer *writing, const struct call *call,
                        const struct check_stack *stack) {
    const struct check_trace *trace = &writing->check->traces[call->trace];
    char text[SIDE_TEXT_SIZE];
    for (size_t i = 0; i < stack->count; i++) {
        uint64_t address = trace->addresses[stack->first + i];
        side_site(writing->check, writing->lines, call, address, text);
        if (text[0] != '\0')
            message_write(writing->to, "    #%zu %s", i, text);
        else
            message_write(writing->to, "    #%zu 0x%" PRIx64, i, address);
    }
}

/* The stack where one was recorded, else the call's own place. */
static void write_place(const struct finding_writer *writing, const struct call *call) {
    const struct check_frames *frames = check_frames_of(writing->check, call);
    const struct check_stack *stack = check_stack_of(writing->check, call);
    char text[SIDE_TEXT_SIZE];
    if (frames != NULL)
        write_frames(writing, call, frames);
    if (frames != NULL && stack != NULL)
        message_write(writing->to, "    by way of the interpreter's own calls:");
    if (stack != NULL) {
        write_stack(writing, call, stack);
        return;
    }
    side_site(writing->check, writing->lines, call, call->site, text);
    if (text[0] != '\0')
        message_write(writing->to, "    at %s", text);
}

static void write_call(const struct finding_writer *writing, const char *heading,
                       const struct call *call, const char *test) {
    const char *error = finding_failure(call);
    char name[SIDE_TEXT_SIZE];
    char process[SIDE_TEXT_SIZE];
    char time[SIDE_TEXT_SIZE];
    if (call->process == 0)
        return;
    message_write(writing->to, "  %s: %s%s%s%s", heading, side_call(call, name),
                  error != NULL ? " failed with " : "", error != NULL ? error : "",
                  finding_inferred(call));
    message_write(writing->to, "    at %s by %s",
                  side_time(writing->check, call, call->begin_ns, time),
                  side_process(writing->check, call, process));
    write_place(writing, call);
    if (test != NULL)
        message_write(writing->to, "    in test %s", test);
}

/* Who has the socket now, where that is not who bound it. */
static void write_heir(const struct finding_writer *writing, const struct finding *finding) {
    const char *how = finding_how_text(writing->check, finding);
    uint32_t trace = finding->other.trace;
    char process[SIDE_TEXT_SIZE];
    char time[RUN_CLOCK_TEXT_SIZE];
    message_write(writing->to, "  %s %s%s%s", finding_other_heading(finding),
                  side_process_of(writing->check, trace, finding->held_by, process),
                  how != NULL ? ", " : "", how != NULL ? how : "");
    if (finding->held_since_ns != 0)
        message_write(writing->to, "    since %s",
                      run_clock_text(writing->check, trace, finding->held_since_ns, 6, time));
    write_call(writing, "Which was bound by", &finding->other, finding->other_marker);
    if (finding->binder_ended_ns != 0)
        message_write(writing->to, "    that process ended at %s",
                      run_clock_text(writing->check, trace, finding->binder_ended_ns, 6, time));
}

static void write_holder(const struct finding_writer *writing, const struct finding *finding) {
    if (finding->other.process != 0 && finding->held_by != 0)
        write_heir(writing, finding);
    else
        write_call(writing, finding_other_heading(finding), &finding->other, finding->other_marker);
    write_call(writing, "Which had been given for port 0 by", &finding->other_assigned,
               finding->other_assigned_marker);
    if (finding->kind == FINDING_LEFTOVER_PROCESS)
        outside_holder_write_left(writing->check, finding, writing->to);
    else if (finding->holder == HOLDER_TRACE)
        outside_holder_write_stranger(writing->check, finding, writing->to);
    else if (finding->holder == HOLDER_TABLE)
        outside_holder_write(writing->check, finding, writing->to);
    else if (finding->holder == HOLDER_TIME_WAIT && finding->other.process == 0)
        message_write(writing->to, "  Held by a connection that has ended (TIME_WAIT), as the "
                                   "kernel's table said then");
    else if (finding->holder == HOLDER_NOBODY)
        message_write(writing->to, "%s", finding_no_holder);
}

static void write_window(const struct finding_writer *writing, const struct finding *finding) {
    const struct call *assigned = &finding->assigned;
    char time[SIDE_TEXT_SIZE];
    char length[RUN_CLOCK_TEXT_SIZE];
    uint64_t window = finding_window_ns(finding);
    if (assigned->process == 0 || !finding_was_released(finding))
        return;
    if (finding->released_to_ns != 0 && !finding->release_inferred)
        message_write(writing->to, "    released at %s",
                      side_time(writing->check, assigned, finding->released_to_ns, time));
    else
        message_write(writing->to, "    released at a time that was not seen");
    if (window != 0)
        message_write(writing->to, "  Window: %s%s, %s",
                      finding->release_inferred ? "at most " : "", run_clock_length(window, length),
                      finding_window_words(finding));
}

void write_range(const struct finding_writer *writing, const struct finding *finding) {
    const struct processes *processes = &writing->check->traces[finding->subject.trace].processes;
    const struct process *user = processes_find(processes, finding->range_user);
    uint32_t ports = finding->range_high - finding->range_low + 1;
    if (finding->kind != FINDING_EXHAUSTED || finding->range_high == 0)
        return;
    message_write(writing->to,
                  "  Range: %" PRIu32 " to %" PRIu32 ", %" PRIu32 " port%s: %" PRIu32
                  " held by sockets, %" PRIu32 " of them connections; %" PRIu32
                  " in TIME_WAIT; %" PRIu32 " reserved",
                  finding->range_low, finding->range_high, ports, plural(ports), finding->held,
                  finding->connections, finding->time_wait, finding->reserved);
    if (user != NULL)
        message_write(writing->to, "    %" PRIu32 " used by process %" PRIu32 " %s",
                      finding->range_user_ports, user->pid, user->comm);
}

static void write_fate(const struct finding_writer *writing, const struct finding *finding) {
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

void finding_text_summary(const struct finding_writer *writing, const struct finding *finding) {
    const struct process *process = processes_find(
        &writing->check->traces[finding->subject.trace].processes, finding->subject.process);
    char endpoint[ENDPOINT_TEXT_SIZE] = "";
    char site[SIDE_TEXT_SIZE] = "";
    if (finding->endpoint.protocol != 0)
        endpoint_text(&finding->endpoint, endpoint);
    if (check_frames_of(writing->check, &finding->subject) != NULL)
        call_source(writing->check, writing->lines, &finding->subject, site);
    else
        side_site(writing->check, writing->lines, &finding->subject, finding->subject.site, site);
    message_write(writing->to, "SUMMARY: portwitness: %s %s%s%s%s%s%s", finding_name(finding->kind),
                  endpoint, site[0] != '\0' ? " in " : "", site, process != NULL ? " (" : "",
                  process != NULL ? process->comm : "", process != NULL ? ")" : "");
}

void finding_text_full(const struct finding_writer *writing, const struct finding *finding) {
    char text[FIX_TEXT_SIZE];
    const char *fix = fix_of(writing->check, finding, text);
    finding_tests_write(writing, finding);
    if (writing->check->trace_count > 1)
        message_write(writing->to, "  Trace: %s",
                      writing->check->traces[finding->subject.trace].path);
    write_call(writing, finding_subject_heading(finding), &finding->subject, finding->marker);
    if (finding->times > 1)
        message_write(writing->to, "    %" PRIu64 " times", finding->times);
    write_call(writing, finding_assigned_heading(finding), &finding->assigned,
               finding->assigned_marker);
    write_window(writing, finding);
    write_holder(writing, finding);
    write_range(writing, finding);
    write_fate(writing, finding);
    message_write(writing->to, "  Processes:");
    process_tree_write(writing->check, finding, writing->to);
    if (fix != NULL)
        finding_heading_write(writing, COLOUR_GREEN, "  Fix:", " %s", fix);
}
