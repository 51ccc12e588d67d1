/* The file of suppressions: what stands on a line, what is refused, and what each line fits. */
#include "harness/check/suppressions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/base/memory.h"

enum { SERVER = 1, WORKER, UNKNOWN = 9, LIBRARY_AT = 0x1000, PROGRAM_AT = 0x8000 };

#define FIELDS "kind:, cause:, program:, module:, file:, function:, test:"
#define NO_FIELD ": must be " FIELDS " or port:, not "

static char path[64];
static struct suppressions suppressions;
static struct check check;

static int begin(void **state) {
    (void)state;
    strcpy(path, "/tmp/portwitness-suppressions-XXXXXX");
    int file = mkstemp(path);
    suppressions = (struct suppressions){0};
    check = (struct check){.traces = memory_zeroed(2, sizeof *check.traces), .trace_count = 2};
    return file < 0 ? -1 : close(file);
}

static int end(void **state) {
    (void)state;
    suppressions_free(&suppressions);
    check_free(&check);
    return unlink(path);
}

static void write_bytes(const char *text, size_t length) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static bool read_text(const char *text) {
    write_bytes(text, strlen(text));
    return suppressions_read(&suppressions, path);
}

/* One suppression of one line. */
static const struct suppression *only(const char *text) {
    assert_true(read_text(text));
    assert_int_equal(suppressions.count, 1);
    return &suppressions.list[0];
}

/* What the reading of the file says on stderr, which it refuses. To be freed. */
static char *complaint(void) {
    FILE *real = stderr;
    char *said = NULL;
    size_t length;
    stderr = open_memstream(&said, &length);
    bool good = suppressions_read(&suppressions, path);
    fclose(stderr);
    stderr = real;
    assert_false(good);
    return said;
}

/* The file is refused with one line that begins with its name. */
static void assert_complaint(const char *expected) {
    char *said = complaint();
    char line[200];
    snprintf(line, sizeof line, "portwitness: %s:%s\n", path, expected);
    assert_string_equal(said, line);
    free(said);
}

static void assert_refused(const char *text, const char *expected) {
    write_bytes(text, strlen(text));
    assert_complaint(expected);
    suppressions_free(&suppressions);
}

static void an_empty_file_suppresses_nothing(void **state) {
    (void)state;
    assert_true(read_text(""));
    assert_int_equal(suppressions.count, 0);
}

static void comments_and_blank_lines_are_passed_over(void **state) {
    (void)state;
    assert_true(read_text("\n  \t\n# kind:race-window\n   # indented\n"));
    assert_int_equal(suppressions.count, 0);
}

static void a_line_is_kept_with_its_number_as_it_stands_without_its_comment(void **state) {
    (void)state;
    const struct suppression *one = only("# known\n\n \tkind:lost-race  port:80 \t # see 12\n");
    assert_int_equal(one->line, 3);
    assert_string_equal(one->text, "kind:lost-race  port:80");
    assert_int_equal(one->used, 0);
}

static void every_field_is_read(void **state) {
    (void)state;
    const struct suppression *one =
        only("kind:race-window\tprogram:py* module:/lib/*.so port:8000-8010 cause:re* test:t?x");
    assert_string_equal(one->kind, "race-window");
    assert_string_equal(one->cause, "re*");
    assert_string_equal(one->test, "t?x");
    assert_string_equal(one->program, "py*");
    assert_string_equal(one->module, "/lib/*.so");
    assert_int_equal(one->first_port, 8000);
    assert_int_equal(one->last_port, 8010);
}

static void a_field_that_is_not_named_stands_for_any(void **state) {
    (void)state;
    const struct suppression *one = only("port:80");
    assert_null(one->kind);
    assert_null(one->program);
    assert_null(one->module);
    assert_int_equal(one->first_port, 80);
    assert_int_equal(one->last_port, 80);
    suppressions_free(&suppressions);
    assert_int_equal(only("kind:exhausted")->first_port, 0);
}

static void the_fields_stand_in_any_order(void **state) {
    (void)state;
    const struct suppression *one = only("port:65535 module:m program:p kind:*");
    assert_string_equal(one->kind, "*");
    assert_string_equal(one->program, "p");
    assert_string_equal(one->module, "m");
    assert_int_equal(one->first_port, 65535);
}

static void lines_may_end_as_on_windows_and_the_last_need_not_end(void **state) {
    (void)state;
    assert_true(read_text("kind:lost-race\r\n\r\nprogram:a\r\nprogram:b"));
    assert_int_equal(suppressions.count, 3);
    assert_string_equal(suppressions.list[0].kind, "lost-race");
    assert_string_equal(suppressions.list[0].text, "kind:lost-race");
    assert_string_equal(suppressions.list[1].program, "a");
    assert_int_equal(suppressions.list[2].line, 4);
}

static void a_second_file_adds_to_the_first(void **state) {
    (void)state;
    assert_true(read_text("kind:lost-race\n"));
    assert_true(read_text("kind:torn\n"));
    assert_int_equal(suppressions.count, 2);
    assert_string_equal(suppressions.list[1].kind, "torn");
    assert_int_equal(suppressions.list[1].line, 1);
}

static void a_kind_may_be_a_pattern_that_fits_some_finding(void **state) {
    (void)state;
    static const char *const good[] = {"kind:*\n", "kind:race-*\n", "kind:[lr]*\n", "kind:????\n",
                                       "kind:blind-spot\n"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        only(good[i]);
        suppressions_free(&suppressions);
    }
}

/* What is refused, by file and line. */

static void a_word_that_is_no_field_is_refused(void **state) {
    (void)state;
    assert_refused("kind:torn\nkid:torn\n", "2" NO_FIELD "'kid:torn'");
    assert_refused("torn\n", "1" NO_FIELD "'torn'");
    assert_refused("Kind:torn\n", "1" NO_FIELD "'Kind:torn'");
    assert_refused("kind\n", "1" NO_FIELD "'kind'");
    assert_refused("program:a b\n", "1" NO_FIELD "'b'");
    assert_refused("test:\"a b\n", "1: missing quote behind 'test:\"a b'");
}

static void a_field_without_a_value_is_refused(void **state) {
    (void)state;
    assert_refused("kind:\n", "1: missing pattern after 'kind:'");
    assert_refused("program: python\n", "1: missing pattern after 'program:'");
    assert_refused("module:\n", "1: missing pattern after 'module:'");
    assert_refused("port: # none\n", "1: missing pattern after 'port:'");
}

static void a_kind_that_fits_no_finding_is_refused(void **state) {
    (void)state;
    assert_refused("\nkind:race\n", "2: no finding matches 'race'");
    assert_refused("kind:RACE-WINDOW\n", "1: no finding matches 'RACE-WINDOW'");
    assert_refused("kind:z*\n", "1: no finding matches 'z*'");
    assert_refused("cause:race-window\n", "1: no cause matches 'race-window'");
}

static void a_field_twice_on_a_line_is_refused(void **state) {
    (void)state;
    assert_refused("kind:torn kind:torn\n", "1: given twice on the line: 'kind:torn'");
    assert_refused("program:a program:b\n", "1: given twice on the line: 'program:b'");
    assert_refused("module:a port:1 module:b\n", "1: given twice on the line: 'module:b'");
    assert_refused("cause:* test:a cause:*\n", "1: given twice on the line: 'cause:*'");
    assert_refused("port:1 port:2\n", "1: given twice on the line: 'port:2'");
    assert_refused("port:1-9 kind:torn port:1-9\n", "1: given twice on the line: 'port:1-9'");
}

static void an_invalid_port_or_range_is_refused(void **state) {
    (void)state;
    static const char *const values[] = {
        "0",   "65536", "http", "-1",  "+1",   "80x",   "80,81", "0x50",  "99999999999999999999",
        "80-", "80-x",  "9-8",  "1-0", "0-10", "1--10", "1-2-3", "1-+10", "1-65536"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[64];
        char expected[128];
        snprintf(text, sizeof text, "port:%s\n", values[i]);
        snprintf(expected, sizeof expected, "1: invalid port or range of ports '%s'", values[i]);
        assert_refused(text, expected);
    }
}

static void the_widest_and_the_narrowest_ranges_are_ranges(void **state) {
    (void)state;
    assert_int_equal(only("port:1-65535")->last_port, 65535);
    suppressions_free(&suppressions);
    assert_int_equal(only("port:80-80")->last_port, 80);
}

static void a_bad_line_leaves_those_before_it(void **state) {
    (void)state;
    const char text[] = "kind:torn\nprogram:a bad\nkind:lost-race\n";
    write_bytes(text, strlen(text));
    assert_complaint("2" NO_FIELD "'bad'");
    assert_int_equal(suppressions.count, 1);
}

static void a_file_that_is_not_there_is_named(void **state) {
    (void)state;
    unlink(path);
    assert_complaint(" No such file or directory");
    write_bytes("", 0);
}

static void what_has_a_nul_in_it_is_no_text(void **state) {
    (void)state;
    write_bytes("kind:torn\n\0\n", 12);
    assert_complaint(" is not a text file: it has a NUL in it");
}

/* "program:aaa..." of so many bytes, and a line before it. */
static void write_long_line(size_t length) {
    char text[5000] = "kind:torn\n";
    memset(text + 10, 'a', length);
    memcpy(text + 10, "program:", 8);
    text[10 + length] = '\n';
    write_bytes(text, 10 + length + 1);
}

static void a_line_may_have_4096_bytes_and_not_one_more(void **state) {
    (void)state;
    write_long_line(4096);
    assert_true(suppressions_read(&suppressions, path));
    assert_int_equal(strlen(suppressions.list[1].program), 4096 - 8);
    suppressions_free(&suppressions);
    write_long_line(4097);
    assert_complaint("2: the line has more than 4096 bytes");
}

static void write_lines(size_t count, const char *last) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 1; i < count; i++)
        fputs("#\n", file);
    fputs(last, file);
    assert_int_equal(fclose(file), 0);
}

static void a_file_may_have_10000_lines_and_not_one_more(void **state) {
    (void)state;
    write_lines(10000, "kind:torn");
    assert_true(suppressions_read(&suppressions, path));
    write_lines(10000, "kind:torn\n"); /* an end of a line begins no further one */
    assert_true(suppressions_read(&suppressions, path));
    assert_int_equal(suppressions.list[1].line, 10000);
    write_lines(10001, "#");
    assert_complaint(" has more than 10000 lines");
}

static void a_file_of_more_than_a_mebibyte_is_refused(void **state) {
    (void)state;
    size_t length = (1 << 20) + 1;
    char *text = malloc(length);
    assert_non_null(text);
    memset(text, '\n', length);
    write_bytes(text, length);
    free(text);
    assert_complaint(" has more than 1048576 bytes");
}

/* What a suppression fits. */

static void add_process(unsigned trace, uint64_t serial, const char *name, const char *command) {
    struct pw_process identity = {.pid = 500 + (uint32_t)serial, .serial = serial};
    struct trace_record record = {.kind = PW_KIND_PROCESS_START,
                                  .process = serial,
                                  .identity = &identity,
                                  .text = command,
                                  .text_length = command != NULL ? strlen(command) : 0};

    memcpy(identity.comm, name, strlen(name));
    processes_note(&check.traces[trace].processes, &record);
}

static void add_module(uint64_t serial, uint64_t at, const char *file) {
    struct pw_numbers numbers = {.number = {at, at + 0x1000, 0}};
    struct trace_record record = {.kind = PW_KIND_MODULE,
                                  .process = serial,
                                  .numbers = &numbers,
                                  .text = file,
                                  .text_length = strlen(file)};
    modules_note(&check.traces[0].modules, &record);
}

static void add_finding(enum finding_kind kind, unsigned port, uint64_t process, uint64_t site) {
    struct finding *finding = findings_add(&check.findings, kind);
    finding->endpoint.port = (uint16_t)port;
    finding->subject.process = process;
    finding->subject.site = site;
}

/* A server and a worker of it, with one finding each. */
static void make_findings(void) {
    add_process(0, SERVER, "python3.11", "/usr/bin/python3.11 serve.py --port 0");
    add_process(0, WORKER, "nginx", NULL);
    add_module(SERVER, LIBRARY_AT, "/usr/lib/libuv.so.1");
    add_module(SERVER, PROGRAM_AT, "/usr/bin/python3.11");
    add_module(WORKER, PROGRAM_AT, "nginx-static");
    add_finding(FINDING_RACE_WINDOW, 8080, SERVER, LIBRARY_AT + 16);
    add_finding(FINDING_LOST_RACE, 9000, WORKER, PROGRAM_AT + 16);
}

/* Which of the two the file marks. */
static void assert_fits(const char *text, bool server, bool worker) {
    assert_true(read_text(text));
    suppressions_apply(&suppressions, &check);
    if (check.findings.list[0].suppressed != server || check.findings.list[1].suppressed != worker)
        fail_msg("%s fits %s%s", text, check.findings.list[0].suppressed ? "the server " : "",
                 check.findings.list[1].suppressed ? "the worker" : "");
    for (size_t i = 0; i < check.findings.count; i++)
        check.findings.list[i].suppressed = false;
    suppressions_free(&suppressions);
}

static void a_kind_fits_findings_of_that_name_or_pattern(void **state) {
    (void)state;
    make_findings();
    assert_fits("kind:race-window", true, false);
    assert_fits("kind:lost-*", false, true);
    assert_fits("kind:*race*", true, true);
    assert_fits("kind:torn", false, false);
}

static void a_port_or_a_range_fits_findings_of_that_endpoint(void **state) {
    (void)state;
    make_findings();
    assert_fits("port:8080", true, false);
    assert_fits("port:8079", false, false);
    assert_fits("port:8081-8999", false, false);
    assert_fits("port:8080-8999", true, false);
    assert_fits("port:8081-9000", false, true);
    assert_fits("port:1-65535", true, true);
}

static void a_program_is_fitted_by_name_or_by_command(void **state) {
    (void)state;
    make_findings();
    assert_fits("program:python3*", true, false);
    assert_fits("program:nginx", false, true);
    assert_fits("program:python", false, false);
    assert_fits("program:*serve.py*", true, false);
    assert_fits("program:/usr/bin/python3.11", false, false); /* the whole command counts */
    assert_fits("program:*", true, true);
}

static void a_forked_child_has_the_command_of_its_parent(void **state) {
    (void)state;
    struct pw_process child = {.serial = 3};
    struct trace_record record = {
        .kind = PW_KIND_FORK, .process = SERVER, .identity = &child, .source = PW_SOURCE_SHIM};
    make_findings();
    processes_note(&check.traces[0].processes, &record);
    check.findings.list[0].subject.process = 3;
    assert_fits("program:*serve.py*", true, false);
}

static void a_module_is_fitted_by_path_or_by_file_name(void **state) {
    (void)state;
    make_findings();
    assert_fits("module:libuv.so.*", true, false);
    assert_fits("module:/usr/lib/*", true, false);
    assert_fits("module:uv.so.1", false, false);
    assert_fits("module:python3.11", false, false); /* the call came from a library */
    assert_fits("module:nginx-static", false, true);
    assert_fits("module:*", true, true);
}

static void who_is_not_known_has_no_program_and_no_module(void **state) {
    (void)state;
    make_findings();
    check.findings.list[0].subject.process = UNKNOWN;
    check.findings.list[1].subject.site = 0x77;
    assert_fits("program:*", false, true);
    assert_fits("module:*", false, false);
    assert_fits("kind:*", true, true);
}

static void a_process_is_that_of_the_finding_s_own_trace(void **state) {
    (void)state;
    make_findings();
    add_process(1, SERVER, "redis", NULL);
    check.findings.list[0].subject.trace = 1;
    assert_fits("program:redis", true, false);
    assert_fits("program:python3*", false, false);
}

static void every_field_of_a_line_must_fit(void **state) {
    (void)state;
    make_findings();
    assert_fits("kind:race-window program:python* module:libuv* port:8080", true, false);
    assert_fits("kind:lost-race program:python* module:libuv* port:8080", false, false);
    assert_fits("kind:race-window program:nginx module:libuv* port:8080", false, false);
    assert_fits("kind:race-window program:python* module:libc* port:8080", false, false);
    assert_fits("kind:race-window program:python* module:libuv* port:8081", false, false);
}

static void one_line_of_many_is_enough(void **state) {
    (void)state;
    make_findings();
    assert_fits("kind:torn\nprogram:nginx\nport:1\n", false, true);
}

static void each_line_counts_what_it_fits_and_one_that_fits_nothing_stays_at_none(void **state) {
    (void)state;
    make_findings();
    assert_true(read_text("kind:*\nport:9000\nport:9001\n"));
    suppressions_apply(&suppressions, &check);
    assert_int_equal(suppressions.list[0].used, 2);
    assert_int_equal(suppressions.list[1].used, 1);
    assert_int_equal(suppressions.list[2].used, 0);
}

static void without_suppressions_every_finding_stands(void **state) {
    (void)state;
    make_findings();
    suppressions_apply(&suppressions, &check);
    assert_false(check.findings.list[0].suppressed);
    assert_false(check.findings.list[1].suppressed);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_empty_file_suppresses_nothing),
        TEST(comments_and_blank_lines_are_passed_over),
        TEST(a_line_is_kept_with_its_number_as_it_stands_without_its_comment),
        TEST(every_field_is_read),
        TEST(a_field_that_is_not_named_stands_for_any),
        TEST(the_fields_stand_in_any_order),
        TEST(lines_may_end_as_on_windows_and_the_last_need_not_end),
        TEST(a_second_file_adds_to_the_first),
        TEST(a_kind_may_be_a_pattern_that_fits_some_finding),
        TEST(a_word_that_is_no_field_is_refused),
        TEST(a_field_without_a_value_is_refused),
        TEST(a_kind_that_fits_no_finding_is_refused),
        TEST(a_field_twice_on_a_line_is_refused),
        TEST(an_invalid_port_or_range_is_refused),
        TEST(the_widest_and_the_narrowest_ranges_are_ranges),
        TEST(a_bad_line_leaves_those_before_it),
        TEST(a_file_that_is_not_there_is_named),
        TEST(what_has_a_nul_in_it_is_no_text),
        TEST(a_line_may_have_4096_bytes_and_not_one_more),
        TEST(a_file_may_have_10000_lines_and_not_one_more),
        TEST(a_file_of_more_than_a_mebibyte_is_refused),
        TEST(a_kind_fits_findings_of_that_name_or_pattern),
        TEST(a_port_or_a_range_fits_findings_of_that_endpoint),
        TEST(a_program_is_fitted_by_name_or_by_command),
        TEST(a_forked_child_has_the_command_of_its_parent),
        TEST(a_module_is_fitted_by_path_or_by_file_name),
        TEST(who_is_not_known_has_no_program_and_no_module),
        TEST(a_process_is_that_of_the_finding_s_own_trace),
        TEST(every_field_of_a_line_must_fit),
        TEST(one_line_of_many_is_enough),
        TEST(each_line_counts_what_it_fits_and_one_that_fits_nothing_stays_at_none),
        TEST(without_suppressions_every_finding_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
