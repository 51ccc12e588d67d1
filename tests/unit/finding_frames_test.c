/* Reports speak by the lines of the user's program, and by the tests on both sides. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "harness/report/finding_json.h"
#include "harness/report/finding_list.h"
#include "harness/report/known_findings.h"
#include "tests/unit/bindings_fixture.h"
#include "tests/unit/frame_writer.h"

#define LIBRARY                                                                                    \
    { "/usr/lib/python3.11/socketserver.py", "server_bind", 472, PW_FRAME_LIBRARY }
#define PACKAGE                                                                                    \
    { "/venv/site-packages/portpicker/__init__.py", "bind", 42, PW_FRAME_DEPENDENCY }
#define FREE_PORT                                                                                  \
    { "/src/tests/conftest.py", "free_port", 13, PW_FRAME_USER }
#define START                                                                                      \
    { "/src/tests/server.py", "start", 20, PW_FRAME_USER }
#define SERVE                                                                                      \
    { "/src/tests/server.py", "serve", 30, PW_FRAME_USER }
#define TEST_ADD                                                                                   \
    { "/src/tests/test_cart.py", "test_add", 5, PW_FRAME_USER }

#define FRAMES(...)                                                                                \
    (const struct written_frame[]) { __VA_ARGS__ }

enum { CART = 1, CHECKOUT, MS = 1000000 };

static struct check check;
static struct suppressions suppressions;
static struct baseline baseline;
static char *text;
static size_t length;

static int begin_check(void **state) {
    check = (struct check){0};
    suppressions = (struct suppressions){0};
    baseline = (struct baseline){0};
    begin(state);
    process_record(PW_KIND_PROCESS_START, CART, CART, 0, 500, 10);
    process_record(PW_KIND_PROCESS_START, CHECKOUT, CHECKOUT, 0, 501, 20);
    return 0;
}

static int end_check(void **state) {
    check_free(&check);
    suppressions_free(&suppressions);
    baseline_free(&baseline);
    free(text);
    text = NULL;
    return end(state);
}

static void run_check(void) {
    const char *const paths[] = {writer.path};
    writer_store(&writer);
    assert_true(check_run(&check, paths, 1, NULL, NULL));
}

/* A number is picked by CART, taken by CHECKOUT, and lost. */
struct race {
    uint16_t port;
    uint64_t at;
    const struct written_frame *picker, *loser, *taker;
    const char *picker_test, *loser_test, *taker_test;
};

static void pick(const struct race *race, uint64_t cookie) {
    union pw_unit *units =
        bind_socket(SOCK_STREAM, CART, 4, cookie, race->at + 1 * MS, 0, race->port);
    units->start.flags |= PW_FLAG_ADDRESS_READ;
    writer_add_frames(&writer, units, race->picker, 1);
    if (race->picker_test != NULL)
        writer_add_test(&writer, units, race->picker_test);
    close_socket(CART, 4, cookie, race->at + 2 * MS);
}

static void take(const struct race *race, uint64_t cookie) {
    union pw_unit *units =
        bind_socket(SOCK_STREAM, CHECKOUT, (int)cookie, cookie, race->at + 3 * MS, 0, race->port);
    if (race->taker != NULL)
        writer_add_frames(&writer, units, race->taker, 1);
    if (race->taker_test != NULL)
        writer_add_test(&writer, units, race->taker_test);
}

static void lose(const struct race *race, uint64_t cookie) {
    union pw_unit *units =
        bind_socket(SOCK_STREAM, CART, 4, cookie, race->at + 4 * MS, race->port, 0);
    units->start.flags = PW_FLAG_HAS_REQUESTED | PW_FLAG_BY_NUMBER;
    units->start.error = EADDRINUSE;
    writer_add_frames(&writer, units, race->loser, 2);
    if (race->loser_test != NULL)
        writer_add_test(&writer, units, race->loser_test);
}

static void write_race(const struct race *race) {
    uint64_t cookie = race->port - 40000u + 100;
    pick(race, cookie);
    take(race, cookie + 1000);
    lose(race, cookie + 2000);
}

static const struct written_frame free_port[] = {FREE_PORT};
static const struct written_frame start[] = {LIBRARY, START};
static const struct written_frame serve[] = {SERVE};

static struct race usual_race(void) {
    return (struct race){.port = 40000,
                         .at = MS,
                         .picker = free_port,
                         .loser = start,
                         .taker = serve,
                         .picker_test = "tests/test_cart.py::test_add (setup) [gw1]",
                         .loser_test = "tests/test_cart.py::test_add (call) [gw1]",
                         .taker_test = "tests/test_checkout.py::test_pay (call) [gw0]"};
}

static void report(bool verbose) {
    free(text);
    FILE *to = open_memstream(&text, &length);
    assert_non_null(to);
    const struct finding_list_options options = {.verbose = verbose, .to = to};
    finding_list_write(&check, &suppressions, &baseline, &options);
    assert_int_equal(fclose(to), 0);
}

static bool has(const char *part) { return strstr(text, part) != NULL; }

static void assert_has(const char *part) {
    if (!has(part))
        fail_msg("no\n%s\nin\n%s", part, text);
}

static void assert_lacks(const char *part) {
    if (has(part))
        fail_msg("there is\n%s\nin\n%s", part, text);
}

static unsigned lines(void) {
    unsigned count = 0;
    for (const char *byte = text; *byte != '\0'; byte++)
        count += *byte == '\n';
    return count;
}

static void one_sentence_names_both_tests_and_the_line_of_the_picker(void **state) {
    (void)state;
    const struct race race = usual_race();
    write_race(&race);
    run_check();
    report(false);
    assert_has("\n  tests/test_cart.py::test_add (gw1) lost tcp 0.0.0.0:40000, which free_port "
               "/src/tests/conftest.py:13 had picked for it, to tests/test_checkout.py::test_pay "
               "(gw0)\n");
    assert_has("\n    at start /src/tests/server.py:20\n");
    assert_has("\n  Given for port 0 to the same process at free_port /src/tests/conftest.py:13, "
               "0.001 s, released at 0.002 s\n");
    assert_has(", bound at serve /src/tests/server.py:30\n");
    assert_has("\nSUMMARY: portwitness: lost-race tcp 0.0.0.0:40000 in start "
               "/src/tests/server.py:20");
    /* Ten, the summary, two rules and the verdict. */
    assert_true(lines() <= 14);
}

static void one_test_alone_stands_behind_its_place(void **state) {
    (void)state;
    struct race race = usual_race();
    race.taker_test = NULL;
    write_race(&race);
    run_check();
    report(false);
    assert_lacks(" lost tcp");
    assert_has("\n    at start /src/tests/server.py:20, in test tests/test_cart.py::test_add "
               "(gw1)\n");
}

static void a_number_picked_in_another_test_says_in_which(void **state) {
    (void)state;
    struct race race = usual_race();
    race.picker_test = "tests/test_first.py::test_a (setup) [gw1]";
    write_race(&race);
    run_check();
    report(false);
    assert_has("conftest.py:13, in test tests/test_first.py::test_a (setup, gw1), 0.001 s");
}

static void one_test_on_both_sides_is_said_once(void **state) {
    (void)state;
    struct race race = usual_race();
    race.taker_test = race.loser_test;
    write_race(&race);
    run_check();
    report(false);
    assert_has(" had picked for it, to the same test\n");
}

static void in_full_all_frames_stand_there_with_whose_they_are(void **state) {
    (void)state;
    struct race race = usual_race();
    race.loser = FRAMES(PACKAGE, TEST_ADD);
    write_race(&race);
    run_check();
    report(true);
    assert_has("\n    #0 bind /venv/site-packages/portpicker/__init__.py:42 (dependency)\n"
               "    #1 test_add /src/tests/test_cart.py:5\n");
    assert_has("\n    in test tests/test_checkout.py::test_pay (call) [gw0]\n");
    report(false);
    assert_has("\n    at test_add /src/tests/test_cart.py:5\n");
    assert_lacks("portpicker");
}

static json_t *first_of_json(void) {
    FILE *to = open_memstream(&text, &length);
    assert_non_null(to);
    finding_json_write(&check, &suppressions, NULL, to);
    assert_int_equal(fclose(to), 0);
    return json_loads(text, 0, NULL);
}

static void assert_string(const json_t *object, const char *key, const char *expected) {
    assert_non_null(json_object_get(object, key));
    assert_string_equal(json_string_value(json_object_get(object, key)), expected);
}

static void json_has_places_frames_tests_and_workers(void **state) {
    (void)state;
    const struct race race = usual_race();
    write_race(&race);
    run_check();
    json_t *whole = first_of_json();
    const json_t *finding = json_array_get(json_object_get(whole, "findings"), 0);
    const json_t *subject = json_object_get(finding, "subject");
    const json_t *place = json_object_get(subject, "place");
    assert_string(place, "file", "/src/tests/server.py");
    assert_string(place, "function", "start");
    assert_string(place, "of", "user");
    assert_int_equal(json_integer_value(json_object_get(place, "line")), 20);
    assert_int_equal(json_array_size(json_object_get(subject, "frames")), 2);
    assert_string(json_array_get(json_object_get(subject, "frames"), 0), "of", "library");
    assert_string(json_object_get(json_object_get(finding, "assigned"), "place"), "function",
                  "free_port");
    assert_string(finding, "test", "tests/test_cart.py::test_add (call) [gw1]");
    assert_string(finding, "worker", "gw1");
    assert_string(finding, "assigned_test", "tests/test_cart.py::test_add (setup) [gw1]");
    assert_string(finding, "other_test", "tests/test_checkout.py::test_pay (call) [gw0]");
    assert_string(finding, "other_worker", "gw0");
    assert_true(json_is_null(json_object_get(finding, "other_assigned_test")));
    json_decref(whole);
}

static void those_of_one_line_are_counted_together_with_all_tests(void **state) {
    (void)state;
    struct race race = usual_race();
    write_race(&race);
    race.port++;
    race.at += 10 * MS;
    race.picker_test = race.loser_test = "tests/test_cart.py::test_sub (call) [gw1]";
    write_race(&race);
    run_check();
    assert_int_equal(check.findings.count, 2);
    report(false);
    assert_has("And 1 more lost-race like it: ports 4000");
    assert_has("\n  in tests ");
    assert_has("tests/test_cart.py::test_sub (gw1)");
    assert_has("tests/test_cart.py::test_add (gw1)");
}

static void another_line_of_the_picker_is_another_fix(void **state) {
    (void)state;
    struct race race = usual_race();
    write_race(&race);
    race.port++;
    race.at += 10 * MS;
    race.picker = FRAMES(TEST_ADD);
    write_race(&race);
    run_check();
    assert_int_equal(check.findings.count, 2);
    report(false);
    assert_lacks("more lost-race like it");
}

static void another_line_of_the_loser_is_another_finding(void **state) {
    (void)state;
    struct race race = usual_race();
    write_race(&race);
    race.port++;
    race.at += 10 * MS;
    race.loser = FRAMES(LIBRARY, SERVE);
    write_race(&race);
    run_check();
    report(false);
    assert_lacks("more lost-race like it");
}

static void read_suppressions(const char *line) {
    char path[] = "/tmp/portwitness-suppressions-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, line, strlen(line)), strlen(line));
    close(file);
    suppressions_free(&suppressions);
    assert_true(suppressions_read(&suppressions, path));
    unlink(path);
}

static void assert_suppressed(const char *line, bool expected) {
    check.findings.list[0].suppressed = false;
    read_suppressions(line);
    suppressions_apply(&suppressions, &check);
    if (check.findings.list[0].suppressed != expected)
        fail_msg("%s", line);
}

static void suppressions_match_file_and_function_of_the_user(void **state) {
    (void)state;
    const struct race race = usual_race();
    write_race(&race);
    run_check();
    assert_suppressed("file:/src/tests/server.py\n", true);
    assert_suppressed("file:tests/server.py\n", true);
    assert_suppressed("file:server.py function:start\n", true);
    assert_suppressed("file:*/server.*\n", true);
    assert_suppressed("function:st?rt\n", true);
    assert_suppressed("file:erver.py\n", false);
    assert_suppressed("file:tests\n", false);
    assert_suppressed("file:server.py function:serve\n", false);
    /* Neither socketserver, nor the picker. */
    assert_suppressed("function:server_bind\n", false);
    assert_suppressed("file:conftest.py\n", false);
}

static void write_baseline(const char *path) {
    size_t size;
    known_findings_add(&baseline, &check);
    char *written = baseline_text(&baseline, false, &size);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(written, 1, size, file), size);
    fclose(file);
    free(written);
}

/* Checks a trace with that loser against the baseline. */
static bool is_known(const char *path, const struct written_frame *loser) {
    struct race race = usual_race();
    race.loser = loser;
    baseline_free(&baseline);
    check_free(&check);
    unlink(writer.path);
    writer_begin(&writer);
    process_record(PW_KIND_PROCESS_START, CART, CART, 0, 500, 10);
    process_record(PW_KIND_PROCESS_START, CHECKOUT, CHECKOUT, 0, 501, 20);
    write_race(&race);
    run_check();
    baseline = (struct baseline){0};
    assert_true(baseline_read(&baseline, path));
    known_findings_mark(&baseline, &check);
    assert_int_equal(check.findings.count, 1);
    return check.findings.list[0].known;
}

static void a_baseline_knows_function_and_file_and_no_line(void **state) {
    (void)state;
    char path[] = "/tmp/portwitness-baseline-XXXXXX";
    const struct race race = usual_race();
    close(mkstemp(path));
    write_race(&race);
    run_check();
    write_baseline(path);
    assert_true(
        is_known(path, FRAMES(LIBRARY, {"/builds/7/tests/server.py", "start", 99, PW_FRAME_USER})));
    assert_false(is_known(path, FRAMES(LIBRARY, SERVE)));
    assert_false(
        is_known(path, FRAMES(LIBRARY, {"/src/tests/other.py", "start", 20, PW_FRAME_USER})));
    unlink(path);
}

#define CHECK_TEST(function) cmocka_unit_test_setup_teardown(function, begin_check, end_check)

int main(void) {
    const struct CMUnitTest tests[] = {
        CHECK_TEST(one_sentence_names_both_tests_and_the_line_of_the_picker),
        CHECK_TEST(one_test_alone_stands_behind_its_place),
        CHECK_TEST(a_number_picked_in_another_test_says_in_which),
        CHECK_TEST(one_test_on_both_sides_is_said_once),
        CHECK_TEST(in_full_all_frames_stand_there_with_whose_they_are),
        CHECK_TEST(json_has_places_frames_tests_and_workers),
        CHECK_TEST(those_of_one_line_are_counted_together_with_all_tests),
        CHECK_TEST(another_line_of_the_picker_is_another_fix),
        CHECK_TEST(another_line_of_the_loser_is_another_finding),
        CHECK_TEST(suppressions_match_file_and_function_of_the_user),
        CHECK_TEST(a_baseline_knows_function_and_file_and_no_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
