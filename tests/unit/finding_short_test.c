/* The ten lines of a finding: what each way to have a port is called, and who is who. */
#include "harness/report/finding_short.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/base/memory.h"
#include "harness/check/history.h"
#include "harness/system/process_facts.h"

/* A shell, two shards below it, and a server of each. */
enum { SHELL = 1, FIRST, SECOND, HELD, LOST, SLEEPER };

#define SECOND_NS UINT64_C(1000000000)

static struct check check;
static struct finding *finding;
static struct finding_writer writing;
static char *text;
static size_t length;

static void add_process(uint64_t serial, uint64_t parent, const char *command, bool by_exec) {
    struct pw_process identity = {.pid = 500 + (uint32_t)serial,
                                  .parent_pid = 500 + (uint32_t)parent,
                                  .serial = serial,
                                  .parent = parent,
                                  .start_time = serial};
    struct trace_record record = {.kind = PW_KIND_PROCESS_START,
                                  .process = serial,
                                  .source = PW_SOURCE_SHIM,
                                  .flags = by_exec ? PW_FLAG_BY_EXEC : 0,
                                  .identity = &identity,
                                  .text = command,
                                  .text_length = strlen(command)};
    memcpy(identity.comm, "server", 6);
    processes_note(&check.traces[0].processes, &record);
}

static struct call call_of(uint64_t process, uint64_t ns, uint16_t port) {
    struct call call = {.process = process,
                        .begin_ns = ns,
                        .end_ns = ns,
                        .requested_port = port,
                        .kind = PW_KIND_BIND};
    const unsigned char loopback[] = {127, 0, 0, 1};
    endpoint_set_address(&call.endpoint, AF_INET, loopback);
    call.endpoint.protocol = IPPROTO_TCP;
    call.endpoint.port = port;
    return call;
}

static int begin(void **state) {
    (void)state;
    check = (struct check){.traces = memory_zeroed(1, sizeof *check.traces), .trace_count = 1};
    check.traces[0].header.monotonic_ns = SECOND_NS;
    add_process(SHELL, 0, "sh run.sh", false);
    add_process(FIRST, SHELL, "./suite.sh 3", false);
    add_process(SECOND, SHELL, "./suite.sh 4", false);
    add_process(HELD, FIRST, "server 8080", false);
    add_process(LOST, SECOND, "server 8080", false);
    add_process(SLEEPER, HELD, "sleep 60", true);
    finding = findings_add(&check.findings, FINDING_ADDRESS_IN_USE);
    finding->subject = call_of(LOST, 3 * SECOND_NS, 8080);
    finding->subject.error = EADDRINUSE;
    finding->other = call_of(HELD, 2 * SECOND_NS, 8080);
    finding->endpoint = finding->subject.endpoint;
    finding->holder = HOLDER_TRACE;
    finding->how = HOW_BOUND;
    writing = (struct finding_writer){.check = &check, .lines = source_lines_make()};
    return 0;
}

static int end(void **state) {
    (void)state;
    source_lines_free(writing.lines);
    check_free(&check);
    free(text);
    text = NULL;
    return 0;
}

static void write_head(void) {
    free(text);
    writing.to = open_memstream(&text, &length);
    assert_non_null(writing.to);
    finding_text_head(&writing, finding);
    assert_int_equal(fclose(writing.to), 0);
}

static void write_text(void) {
    free(text);
    writing.to = open_memstream(&text, &length);
    assert_non_null(writing.to);
    finding_short_write(&writing, finding);
    fclose(writing.to);
}

static void assert_line(const char *expected) {
    char line[512];
    write_text();
    snprintf(line, sizeof line, "%s\n", expected);
    const char *found = strstr(text, line);
    if (found == NULL || (found != text && found[-1] != '\n'))
        fail_msg("no line\n%sin\n%s", line, text);
}

static void the_ancestor_that_differs_stands_behind_each(void **state) {
    (void)state;
    assert_line("  bind to tcp 127.0.0.1:8080 failed with EADDRINUSE");
    assert_line("    by 505 server 8080 (of ./suite.sh 4), 2.000 s into the run");
    assert_line("  Held by 504 server 8080 (of ./suite.sh 3)");
    assert_line("    since 1.000 s, 1.000 s before");
}

static void who_inherited_it_is_the_holder(void **state) {
    (void)state;
    finding->how = HOW_INHERITED;
    finding->held_by = SLEEPER;
    finding->held_since_ns = 2 * SECOND_NS + SECOND_NS / 2;
    finding->binder_ended_ns = 2 * SECOND_NS + SECOND_NS * 3 / 4;
    assert_line(
        "  Held by 506 sleep 60 (of ./suite.sh 3), which inherited it at exec; bound by 504 "
        "server 8080 (of ./suite.sh 3), which ended at 1.750 s");
    assert_line("    since 1.500 s, 0.500 s before");
}

static void each_way_to_have_a_port_is_named(void **state) {
    (void)state;
    finding->how = HOW_PASSED;
    finding->held_by = FIRST;
    assert_line("  Held by 502 ./suite.sh 3, which was sent it; bound by 504 server 8080 (of "
                "./suite.sh 3)");
    finding->how = HOW_ACCEPTED;
    finding->held_by = SLEEPER;
    assert_line("  Held by a connection that a listener accepted, open in 506 sleep 60 (of "
                "./suite.sh 3); bound by 504 server 8080 (of ./suite.sh 3)");
    finding->held_by = 0;
    finding->how = HOW_CONNECTION;
    finding->other.peer = finding->other.endpoint;
    finding->other.peer.port = 443;
    assert_line(
        "  Held as the source port of a connection of 504 server 8080 (of ./suite.sh 3), to "
        "tcp 127.0.0.1:443");
    finding->how = HOW_TIME_WAIT;
    finding->holder = HOLDER_TIME_WAIT;
    assert_line("  Held by the TIME_WAIT of 504 server 8080 (of ./suite.sh 3)");
}

static void a_relative_is_shown_as_such(void **state) {
    (void)state;
    finding->other.process = SECOND;
    assert_line("    by 505 server 8080, 2.000 s into the run");
    assert_line("  Held by 503 ./suite.sh 4, its parent");
    finding->other.process = SHELL;
    assert_line("  Held by 501 sh run.sh, from which it descends");
    finding->other.process = LOST;
    assert_line("  Held by 505 server 8080, the same process");
    finding->subject.process = HELD;
    finding->other.process = SLEEPER;
    assert_line("  Held by 506 sleep 60, its child");
}

static void an_assignment_is_headed_by_the_cause(void **state) {
    (void)state;
    static const struct {
        enum finding_cause cause;
        const char *line;
    } lines[] = {
        {CAUSE_RELEASED_NUMBER,
         "  Given for port 0 to the same process, 0.500 s, released at a time that was not seen"},
        {CAUSE_FIXED_NUMBER,
         "  Bound before by the same process, 0.500 s, released at a time that was not seen"},
        {CAUSE_PROBED_BY_NUMBER, "  Bound before, to see whether it is free, by the same process, "
                                 "0.500 s, released at a time that was not seen"},
        {CAUSE_HELD_PAIR, "  The same number is held by the same process as udp 127.0.0.1:8080, "
                          "0.500 s"},
        {CAUSE_OTHER_NAMESPACE, "  Picked in another network namespace by the same process, "
                                "0.500 s"},
        {CAUSE_PICKED_ELSEWHERE, "  Picked on another endpoint by the same process, 0.500 s"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        finding->cause = lines[i].cause;
        finding->assigned = call_of(LOST, SECOND_NS + SECOND_NS / 2, 8080);
        if (finding->cause == CAUSE_RELEASED_NUMBER)
            finding->assigned.requested_port = 0;
        if (finding->cause == CAUSE_HELD_PAIR)
            finding->assigned.endpoint.protocol = IPPROTO_UDP;
        assert_line(lines[i].line);
    }
    finding->assigned.endpoint.port = 8079;
    finding->cause = CAUSE_NEIGHBOUR;
    assert_line("  The number it was counted from was given to the same process as tcp "
                "127.0.0.1:8079, 0.500 s");
}

/* This very process has it, on this boot. */
static void hold_here(void) {
    struct process_facts facts;
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    assert_non_null(file);
    for (unsigned i = 0; i < 16; i++) {
        unsigned byte;
        assert_int_equal(
            fscanf(file, i == 4 || i == 6 || i == 8 || i == 10 ? "-%2x" : "%2x", &byte), 1);
        check.traces[0].header.boot_id[i] = (uint8_t)byte;
    }
    fclose(file);
    assert_true(process_facts_read(getpid(), &facts));
    finding->other.process = 0;
    finding->holder = HOLDER_TABLE;
    finding->table.pid = (uint32_t)getpid();
    finding->table.start_time = facts.start_time * HISTORY_NS_PER_TICK;
    finding->table.endpoint = finding->endpoint;
}

static void who_has_ended_is_not_to_be_ended(void **state) {
    (void)state;
    hold_here();
    write_text();
    assert_non_null(strstr(text, "End it: kill"));
    finding->table.start_time -= HISTORY_NS_PER_TICK;
    write_text();
    assert_null(strstr(text, "End it"));
    assert_line("    has ended since");
    check.traces[0].header.boot_id[0] ^= 1;
    write_text();
    assert_null(strstr(text, "End it"));
    assert_null(strstr(text, "has ended"));
}

static void the_fullest_has_nine_lines(void **state) {
    (void)state;
    unsigned count = 0;
    finding->kind = FINDING_LOST_RACE;
    finding->assigned = call_of(SECOND, SECOND_NS, 0);
    finding->assigned.endpoint.port = 8080;
    finding->released_to_ns = SECOND_NS + 1;
    finding->marker = memory_copy("a test", 6);
    finding->instead = call_of(LOST, 4 * SECOND_NS, 8081);
    finding->status = 256;
    finding->times = 3;
    hold_here();
    finding->table.start_time = 0;
    write_text();
    for (const char *byte = text; *byte != '\0'; byte++)
        count += *byte == '\n';
    assert_int_equal(count, 9);
    assert_line(
        "  bind to tcp 127.0.0.1:8080 failed with EADDRINUSE, 3 times; then succeeded: bind "
        "to tcp 127.0.0.1:8081; the process ended with status 1");
    assert_line("    in test a test");
}

static void a_connection_that_is_being_made_has_not_failed(void **state) {
    (void)state;
    finding->kind = FINDING_SELF_CONNECT;
    finding->subject.kind = PW_KIND_CONNECT;
    finding->subject.error = EINPROGRESS;
    write_text();
    assert_null(strstr(text, "failed"));
    finding->subject.error = ECONNREFUSED;
    write_text();
    assert_non_null(strstr(text, " failed with ECONNREFUSED"));
}

static void one_process_has_two_sockets_on_a_shared_port(void **state) {
    (void)state;
    finding->kind = FINDING_SHARED_PORT;
    write_head();
    assert_non_null(strstr(text, "two processes share a port"));
    finding->other.process = finding->subject.process;
    write_head();
    assert_non_null(strstr(text, "two sockets share a port"));
}

static void what_keep_held_nobody_could_have_taken(void **state) {
    (void)state;
    finding->kind = FINDING_RACE_WINDOW;
    finding->assigned = call_of(LOST, SECOND_NS, 0);
    finding->released_to_ns = 2 * SECOND_NS;
    write_head();
    assert_non_null(strstr(text, "race-window: anybody could have taken a port ("));
    assert_line("  Window: 1.000 s, in which anybody could have it");
    finding->subject.was_kept = true;
    write_head();
    assert_non_null(
        strstr(text, "race-window: without --policy keep anybody could have taken a port ("));
    assert_line("  Window: 1.000 s, in which --policy keep held it for the run");
    assert_null(strstr(text, "anybody"));
    free(text);
    writing.to = open_memstream(&text, &length);
    assert_non_null(writing.to);
    finding_text_full(&writing, finding);
    finding_text_summary(&writing, finding);
    fclose(writing.to);
    assert_non_null(strstr(text, "in which --policy keep held it for the run\n"));
    assert_non_null(strstr(text, "\nSUMMARY: portwitness: race-window tcp 127.0.0.1:8080"));
    assert_null(strstr(text, "anybody"));
}

static void who_may_not_have_been_asked_for_is_said(void **state) {
    (void)state;
    finding->other.process = 0;
    finding->holder = HOLDER_NOBODY;
    write_text();
    assert_non_null(
        strstr(text, "No holder was seen; the kernel is asked for the first 64 refusals"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(a_connection_that_is_being_made_has_not_failed),
                                       TEST(one_process_has_two_sockets_on_a_shared_port),
                                       TEST(what_keep_held_nobody_could_have_taken),
                                       TEST(who_has_ended_is_not_to_be_ended),
                                       TEST(who_may_not_have_been_asked_for_is_said),
                                       TEST(the_ancestor_that_differs_stands_behind_each),
                                       TEST(who_inherited_it_is_the_holder),
                                       TEST(each_way_to_have_a_port_is_named),
                                       TEST(a_relative_is_shown_as_such),
                                       TEST(an_assignment_is_headed_by_the_cause),
                                       TEST(the_fullest_has_nine_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
