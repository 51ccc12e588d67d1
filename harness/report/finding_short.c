/* Whoever finds a report in a log of ten thousand lines has a screen's worth of patience. */
#include "harness/report/finding_short.h"

#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>

#include "harness/base/message.h"
#include "harness/base/names.h"
#include "harness/base/test_name.h"
#include "harness/report/call_place.h"
#include "harness/report/finding_tests.h"
#include "harness/report/finding_words.h"
#include "harness/report/fix.h"
#include "harness/report/outside_holder.h"
#include "harness/report/run_clock.h"
#include "harness/report/short_process.h"

enum { IN_TEST_SIZE = TEST_NAME_TEXT_SIZE + 16, AT_SOURCE_SIZE = SIDE_TEXT_SIZE + 8 };

/* How the call ended, and then its process. */
static void write_call(const struct finding_writer *writing, const struct finding *finding) {
    const struct call *subject = &finding->subject;
    const char *error = finding_failure(subject);
    int status = finding->status;
    char name[SIDE_TEXT_SIZE];
    char then[SIDE_TEXT_SIZE] = "";
    char fate[64] = "";
    char times[48] = "";
    bool refused = finding->kind == FINDING_ADDRESS_IN_USE || finding->kind == FINDING_LOST_RACE;
    if (finding->instead.process != 0)
        side_call(&finding->instead, then);
    if (refused && status >= 0 && WIFSIGNALED(status))
        snprintf(fate, sizeof fate, "; the process was ended by signal %d", WTERMSIG(status));
    else if (refused && status >= 0)
        snprintf(fate, sizeof fate, "; the process ended with status %d", WEXITSTATUS(status));
    if (finding->times > 1)
        snprintf(times, sizeof times, ", %" PRIu64 " times", finding->times);
    message_write(writing->to, "  %s%s%s%s%s%s%s%s", side_call(subject, name),
                  error != NULL                          ? " failed with "
                  : finding->kind == FINDING_RACE_WINDOW ? " succeeded"
                                                         : "",
                  error != NULL ? error : "", error != NULL ? finding_inferred(subject) : "", times,
                  then[0] != '\0' ? "; then succeeded: " : "", then, fate);
}

static const char *in_test(const char *marker, const char *before, char text[IN_TEST_SIZE]) {
    char name[TEST_NAME_TEXT_SIZE];
    text[0] = '\0';
    if (marker != NULL)
        snprintf(text, IN_TEST_SIZE, "%sin test %s", before, test_name_text(marker, name));
    return text;
}

/* Where the first line says it, no other has to. */
static const char *unless_said(const struct finding *finding, const char *marker) {
    return finding_has_both_tests(finding) ? NULL : marker;
}

/* That of who picked the number, where it is another test than that of who lost it. */
static const char *test_of_picker(const struct finding *finding) {
    const char *picker = finding->assigned_marker;
    if (picker == NULL || finding->marker == NULL)
        return picker;
    size_t length = test_name_length(picker);
    bool is_same = length == test_name_length(finding->marker) &&
                   strncmp(picker, finding->marker, length) == 0;
    return is_same ? NULL : picker;
}

/* The line that picked a number is the one to be changed. */
static const char *at_source(const struct finding_writer *writing, const struct call *call,
                             char text[AT_SOURCE_SIZE]) {
    char place[SIDE_TEXT_SIZE];
    text[0] = '\0';
    call_source(writing->check, writing->lines, call, place);
    if (place[0] != '\0')
        snprintf(text, AT_SOURCE_SIZE, " at %s", place);
    return text;
}

static void write_subject(const struct finding_writer *writing, const struct finding *finding) {
    const struct call *subject = &finding->subject;
    char process[SHORT_PROCESS_SIZE];
    char time[RUN_CLOCK_TEXT_SIZE];
    char place[SIDE_TEXT_SIZE];
    char test[IN_TEST_SIZE];
    if (subject->process == 0)
        return;
    message_write(writing->to, "    by %s, %s",
                  short_process_subject(writing->check, finding, process),
                  run_clock_into(writing->check, subject->trace, subject->begin_ns, time));
    call_place(writing->check, writing->lines, subject, place);
    in_test(unless_said(finding, finding->marker), place[0] != '\0' ? ", " : "", test);
    if (place[0] != '\0' || test[0] != '\0')
        message_write(writing->to, "    %s%s%s", place[0] != '\0' ? "at " : "", place, test);
}

static void write_assigned(const struct finding_writer *writing, const struct finding *finding) {
    const struct call *assigned = &finding->assigned;
    char process[SHORT_PROCESS_SIZE];
    char endpoint[ENDPOINT_TEXT_SIZE];
    char time[RUN_CLOCK_TEXT_SIZE];
    char released[RUN_CLOCK_TEXT_SIZE];
    char place[AT_SOURCE_SIZE];
    char test[IN_TEST_SIZE];
    bool elsewhere = !endpoints_equal(&assigned->endpoint, &finding->endpoint);
    bool seen =
        finding_was_released(finding) && finding->released_to_ns != 0 && !finding->release_inferred;
    if (assigned->process == 0)
        return;
    message_write(
        writing->to, "  %s %s%s%s%s%s, %s%s%s", finding_assigned_heading(finding),
        short_process(writing->check, finding, assigned->trace, assigned->process, process),
        elsewhere ? " as " : "", elsewhere ? endpoint_text(&assigned->endpoint, endpoint) : "",
        at_source(writing, assigned, place), in_test(test_of_picker(finding), ", ", test),
        run_clock_text(writing->check, assigned->trace, assigned->begin_ns, 3, time),
        seen                            ? ", released at "
        : finding_was_released(finding) ? ", released at a time that was not seen"
                                        : "",
        seen ? run_clock_text(writing->check, assigned->trace, finding->released_to_ns, 3, released)
             : "");
}

static void write_window(const struct finding_writer *writing, const struct finding *finding) {
    char length[RUN_CLOCK_TEXT_SIZE];
    uint64_t window = finding_window_ns(finding);
    if (window != 0)
        message_write(writing->to, "  Window: %s%s, %s",
                      finding->release_inferred ? "at most " : "", run_clock_length(window, length),
                      finding_window_words(finding));
}

/* Who bound it, where another has it now. */
static void bound_by(const struct finding_writer *writing, const struct finding *finding,
                     char *text, size_t size) {
    const struct call *other = &finding->other;
    char process[SHORT_PROCESS_SIZE];
    char time[RUN_CLOCK_TEXT_SIZE];
    bool ended = finding->binder_ended_ns != 0;
    text[0] = '\0';
    if (finding->held_by == 0 || finding->held_by == other->process)
        return;
    snprintf(text, size, "; bound by %s%s%s",
             short_process(writing->check, finding, other->trace, other->process, process),
             ended ? ", which ended at " : "",
             ended ? run_clock_text(writing->check, other->trace, finding->binder_ended_ns, 3, time)
                   : "");
}

static void write_since(const struct finding_writer *writing, const struct finding *finding) {
    const struct call *other = &finding->other;
    const struct call *subject = &finding->subject;
    bool inherited = finding->held_by != 0 && finding->held_since_ns != 0;
    uint64_t since = inherited ? finding->held_since_ns : other->begin_ns;
    char time[RUN_CLOCK_TEXT_SIZE];
    char length[RUN_CLOCK_TEXT_SIZE] = "";
    char place[SIDE_TEXT_SIZE];
    char own_place[SIDE_TEXT_SIZE];
    char given[SHORT_PROCESS_SIZE];
    char given_place[AT_SOURCE_SIZE];
    char test[IN_TEST_SIZE];
    bool picked = finding->other_assigned.process != 0;
    bool before = since <= subject->begin_ns;
    if (check_is_same_machine(&writing->check->traces[other->trace],
                              &writing->check->traces[subject->trace]))
        run_clock_length(before ? subject->begin_ns - since : since - subject->begin_ns, length);
    call_place(writing->check, writing->lines, other, place);
    call_place(writing->check, writing->lines, subject, own_place);
    if (strcmp(place, own_place) == 0)
        place[0] = '\0'; /* it stands above */
    message_write(writing->to, "    since %s%s%s%s%s%s%s%s%s%s",
                  run_clock_text(writing->check, other->trace, since, 3, time),
                  length[0] != '\0' ? ", " : "", length,
                  length[0] == '\0' ? ""
                  : before          ? " before"
                                    : " after",
                  place[0] == '\0'              ? ""
                  : other->kind == PW_KIND_BIND ? ", bound at "
                                                : ", at ",
                  place, in_test(unless_said(finding, finding->other_marker), ", ", test),
                  picked ? "; given for port 0 to " : "",
                  picked ? short_process(writing->check, finding, finding->other_assigned.trace,
                                         finding->other_assigned.process, given)
                         : "",
                  picked ? at_source(writing, &finding->other_assigned, given_place) : "");
}

static void write_recorded_holder(const struct finding_writer *writing,
                                  const struct finding *finding) {
    const struct call *other = &finding->other;
    const char *how = finding_how_text(writing->check, finding);
    char process[SHORT_PROCESS_SIZE];
    char endpoint[ENDPOINT_TEXT_SIZE];
    char peer[ENDPOINT_TEXT_SIZE];
    char binder[SHORT_PROCESS_SIZE + 96];
    bool elsewhere =
        !endpoints_equal(&other->endpoint, &finding->endpoint) && other->endpoint.protocol != 0;
    bool connected = finding->how == HOW_CONNECTION && other->peer.protocol != 0;
    bound_by(writing, finding, binder, sizeof binder);
    message_write(writing->to, "  %s %s%s%s%s%s%s%s%s", finding_other_heading(finding),
                  short_process_holder(writing->check, finding, process), how != NULL ? ", " : "",
                  how != NULL ? how : "", connected ? ", to " : "",
                  connected ? endpoint_text(&other->peer, peer) : "", elsewhere ? ", as " : "",
                  elsewhere ? endpoint_text(&other->endpoint, endpoint) : "", binder);
    write_since(writing, finding);
    outside_holder_write_stranger(writing->check, finding, writing->to);
}

/* Of a socket that a recorded process bound: it is said who. */
static void write_outside_holder(const struct finding_writer *writing,
                                 const struct finding *finding) {
    const struct call *other = &finding->other;
    char process[SHORT_PROCESS_SIZE];
    char time[RUN_CLOCK_TEXT_SIZE];
    outside_holder_write(writing->check, finding, writing->to);
    if (other->process != 0)
        message_write(writing->to, "    inherited; bound by %s at %s",
                      short_process(writing->check, finding, other->trace, other->process, process),
                      run_clock_text(writing->check, other->trace, other->begin_ns, 3, time));
}

static void write_holder(const struct finding_writer *writing, const struct finding *finding) {
    if (finding->kind == FINDING_LEFTOVER_PROCESS)
        outside_holder_write_left(writing->check, finding, writing->to);
    else if (finding->holder == HOLDER_TABLE)
        write_outside_holder(writing, finding);
    else if (finding->other.process != 0)
        write_recorded_holder(writing, finding);
    else if (finding->holder == HOLDER_TIME_WAIT)
        message_write(writing->to, "  Held by a connection that has ended (TIME_WAIT)");
    else if (finding->holder == HOLDER_NOBODY)
        message_write(writing->to, "%s", finding_no_holder);
}

void finding_short_write(const struct finding_writer *writing, const struct finding *finding) {
    char text[FIX_TEXT_SIZE];
    const char *fix = fix_of(writing->check, finding, text);
    finding_tests_write(writing, finding);
    write_call(writing, finding);
    write_subject(writing, finding);
    write_assigned(writing, finding);
    write_window(writing, finding);
    write_holder(writing, finding);
    write_range(writing, finding);
    if (fix != NULL)
        finding_heading_write(writing, COLOUR_GREEN, "  Fix:", " %s", fix);
}
