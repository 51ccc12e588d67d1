/* The baseline's file: what is written is read again, and what is not one is refused by its line
 * and field. */
#include "harness/check/baseline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FIRST "{\"portwitness-baseline\":1}\n"
#define ENTRY                                                                                      \
    "{\"finding\":\"race-window\",\"cause\":null,\"program\":\"pythonN\",\"command\":null,"        \
    "\"module\":null,\"place\":null,\"test\":null,\"protocol\":\"tcp\",\"port\":null}\n"

static char path[64];
static struct baseline baseline;

static const struct baseline_entry window = {
    .finding = "race-window", .program = "pythonN", .protocol = "tcp"};
static const struct baseline_entry in_use = {.finding = "address-in-use",
                                             .cause = "fixed-number",
                                             .program = "a \"quoted\" one",
                                             .test = "test\n\303\244",
                                             .port = 8080};

static int begin(void **state) {
    (void)state;
    strcpy(path, "/tmp/portwitness-baseline-XXXXXX");
    int file = mkstemp(path);
    baseline = (struct baseline){0};
    return file < 0 ? -1 : close(file);
}

static int end(void **state) {
    (void)state;
    baseline_free(&baseline);
    return unlink(path);
}

static bool read_text(const char *text) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    return baseline_read(&baseline, path);
}

static void assert_refused(const char *text, const char *expected) {
    FILE *real = stderr;
    char *said = NULL;
    size_t length;
    char line[256];
    stderr = open_memstream(&said, &length);
    bool good = read_text(text);
    fclose(stderr);
    stderr = real;
    assert_false(good);
    snprintf(line, sizeof line, "portwitness: %s:%s\n", path, expected);
    assert_string_equal(said, line);
    free(said);
    baseline_free(&baseline);
}

static char *text_of(const struct baseline *of) {
    size_t length;
    char *text = baseline_text(of, true, &length);
    assert_int_equal(strlen(text), length);
    return text;
}

static void what_is_written_is_read_again(void **state) {
    (void)state;
    baseline_add(&baseline, &window);
    baseline_add(&baseline, &in_use);
    baseline_add(&baseline, &window);
    char *text = text_of(&baseline);
    baseline_free(&baseline);
    assert_true(read_text(text));
    assert_int_equal(baseline.count, 2);
    assert_int_equal(baseline_unseen(&baseline), 2);
    assert_true(baseline_has(&baseline, &window));
    assert_int_equal(baseline_unseen(&baseline), 1);
    assert_true(baseline_has(&baseline, &in_use));
    char *again = text_of(&baseline);
    assert_string_equal(again, text);
    free(again);
    free(text);
}

static void the_text_has_a_version_and_is_sorted(void **state) {
    (void)state;
    baseline_add(&baseline, &window);
    baseline_add(&baseline, &in_use);
    char *text = text_of(&baseline);
    assert_int_equal(strncmp(text, FIRST "{\"finding\":\"address-in-use\"", 48), 0);
    assert_non_null(strstr(text, "\"port\":8080}\n" ENTRY));
    free(text);
}

static void an_entry_differs_by_each_field(void **state) {
    (void)state;
    struct baseline_entry other;
    baseline_add(&baseline, &in_use);
#define DIFFERS(field, value)                                                                      \
    other = in_use;                                                                                \
    other.field = value;                                                                           \
    assert_false(baseline_has(&baseline, &other))
    DIFFERS(finding, "lost-race");
    DIFFERS(cause, NULL);
    DIFFERS(program, "other");
    DIFFERS(command, "other");
    DIFFERS(module, "other");
    DIFFERS(place, "other");
    DIFFERS(test, NULL);
    DIFFERS(protocol, "udp");
    DIFFERS(port, 8081);
    assert_true(baseline_has(&baseline, &in_use));
}

static void keys_may_stand_in_any_order(void **state) {
    (void)state;
    assert_true(read_text(FIRST "{\"port\":null,\"protocol\":\"tcp\",\"test\":null,\"place\":null,"
                                "\"module\":null,\"command\":null,\"program\":\"pythonN\","
                                "\"cause\":null,\"finding\":\"race-window\"}\n"));
    assert_true(baseline_has(&baseline, &window));
}

static void a_baseline_may_have_no_entry(void **state) {
    (void)state;
    assert_true(read_text(FIRST));
    assert_int_equal(baseline.count, 0);
    assert_false(baseline_has(&baseline, &window));
}

static void what_is_no_baseline_is_refused(void **state) {
    (void)state;
    assert_refused("", "1: is not a portwitness baseline: field 'portwitness-baseline': missing");
    assert_refused("{}\n",
                   "1: is not a portwitness baseline: field 'portwitness-baseline': missing");
    assert_refused("[]\n", "1: is not a portwitness baseline: must be a JSON object");
    assert_refused("{\"portwitness-baseline\":2}\n",
                   "1: field 'portwitness-baseline': a version that is not known; this program "
                   "knows 1");
    assert_refused(ENTRY,
                   "1: is not a portwitness baseline: field 'portwitness-baseline': missing");
}

/* The entry with one field changed. */
static void assert_field_refused(const char *from, const char *to, const char *expected) {
    static const char entry[] = ENTRY;
    char text[1024];
    const char *at = strstr(entry, from);
    assert_non_null(at);
    snprintf(text, sizeof text, FIRST ENTRY "%.*s%s%s", (int)(at - entry), entry, to,
             at + strlen(from));
    assert_refused(text, expected);
}

static void a_bad_field_is_named_with_its_line(void **state) {
    (void)state;
    assert_field_refused("race-window", "race", "3: field 'finding': is no finding that is known");
    assert_field_refused("\"race-window\"", "null",
                         "3: field 'finding': is no finding that is known");
    assert_field_refused("\"cause\":null", "\"cause\":\"x\"",
                         "3: field 'cause': is no cause that is known");
    assert_field_refused("\"pythonN\"", "7", "3: field 'program': must be a text or null");
    assert_field_refused("\"port\":null", "\"port\":0", "3: field 'port': must be a port or null");
    assert_field_refused("\"port\":null", "\"port\":65536",
                         "3: field 'port': must be a port or null");
    assert_field_refused("\"port\":null", "\"port\":\"80\"",
                         "3: field 'port': must be a port or null");
    assert_field_refused(",\"port\":null", "", "3: field 'port': missing");
    assert_field_refused("\"test\":null,", "", "3: field 'test': missing");
    assert_field_refused("\"port\":null", "\"port\":null,\"more\":1", "3: field 'more': not known");
}

static void what_is_no_json_is_refused(void **state) {
    (void)state;
    assert_refused(FIRST ENTRY "<<<<<<< HEAD\n", "3: '[' or '{' expected near '<'");
    assert_refused(FIRST "{\"finding\":\"torn\",\"finding\":\"torn\"}\n",
                   "2: duplicate object key near '\"finding\"'");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read_again),      TEST(the_text_has_a_version_and_is_sorted),
        TEST(an_entry_differs_by_each_field),     TEST(keys_may_stand_in_any_order),
        TEST(a_baseline_may_have_no_entry),       TEST(what_is_no_baseline_is_refused),
        TEST(a_bad_field_is_named_with_its_line), TEST(what_is_no_json_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
