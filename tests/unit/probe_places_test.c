/* A number that was bound, released and bound again: a look whether it is free, or a server that is
 * started again? The places of the two calls tell. */
#include "harness/check/check.h"
#include "tests/unit/bindings_fixture.h"
#include "tests/unit/frame_writer.h"

enum { SERVER = 1, OTHER, NUMBER = 40000, INTERPRETER_AT = 0x401000 };

#define IS_FREE                                                                                    \
    { "/src/ports.py", "is_free", 7, PW_FRAME_USER }
#define START                                                                                      \
    { "/src/server.py", "start", 20, PW_FRAME_USER }
#define LOOKS                                                                                      \
    { "/venv/site-packages/pool/__init__.py", "looks", 3, PW_FRAME_DEPENDENCY }
#define BINDS                                                                                      \
    { "/venv/site-packages/pool/__init__.py", "binds", 9, PW_FRAME_DEPENDENCY }

#define FRAMES(...) ((const struct written_frame[]){__VA_ARGS__})

static struct check check;

static int begin_check(void **state) {
    check = (struct check){0};
    begin(state);
    union pw_unit *units = process_record(PW_KIND_PROCESS_START, SERVER, SERVER, 0, 500, 10);
    memcpy(units[1].process.comm, "python3", sizeof "python3");
    process_record(PW_KIND_PROCESS_START, OTHER, OTHER, 0, 501, 20);
    return 0;
}

static int end_check(void **state) {
    check_free(&check);
    return end(state);
}

static void bind_number(uint64_t process, uint64_t cookie, uint64_t at, uint16_t gives,
                        const struct written_frame *frames, unsigned count) {
    union pw_unit *units = bind_socket(SOCK_STREAM, process, 4, cookie, at, NUMBER, gives);
    units->start.site = INTERPRETER_AT;
    if (gives == 0)
        units->start.error = 98;
    if (count > 0)
        writer_add_frames(&writer, units, frames, count);
}

/* A look, somebody else who asks for the number in between, and the use. */
static void look_and_use(const struct written_frame *look, const struct written_frame *use,
                         unsigned count) {
    const char *const paths[] = {writer.path};
    bind_number(SERVER, 30, 100, NUMBER, look, count);
    close_socket(SERVER, 4, 30, 200);
    bind_number(OTHER, 31, 300, NUMBER, NULL, 0);
    close_socket(OTHER, 4, 31, 400);
    bind_number(SERVER, 32, 500, NUMBER, use, count);
    writer_store(&writer);
    assert_true(check_run(&check, paths, 1, NULL, NULL));
}

static const struct finding *window(void) {
    for (size_t i = 0; i < check.findings.count; i++)
        if (check.findings.list[i].kind == FINDING_RACE_WINDOW)
            return &check.findings.list[i];
    return NULL;
}

static void two_lines_show_that_it_was_a_look(void **state) {
    (void)state;
    look_and_use(FRAMES(IS_FREE), FRAMES(START), 1);
    assert_non_null(window());
    assert_int_equal(window()->certainty, CERTAIN);
}

static void one_line_is_a_server_that_is_started_again(void **state) {
    (void)state;
    look_and_use(FRAMES(START), FRAMES(START), 1);
    assert_null(window());
}

static void two_functions_of_a_package_are_a_look_and_a_use(void **state) {
    (void)state;
    look_and_use(FRAMES(LOOKS, START), FRAMES(BINDS, START), 2);
    assert_non_null(window());
    assert_int_equal(window()->certainty, CERTAIN);
}

static void without_lines_an_interpreter_shows_neither(void **state) {
    (void)state;
    look_and_use(NULL, NULL, 0);
    assert_non_null(window());
    assert_int_equal(window()->certainty, POSSIBLE);
}

#define CHECK_TEST(function) cmocka_unit_test_setup_teardown(function, begin_check, end_check)

int main(void) {
    const struct CMUnitTest tests[] = {
        CHECK_TEST(two_lines_show_that_it_was_a_look),
        CHECK_TEST(one_line_is_a_server_that_is_started_again),
        CHECK_TEST(two_functions_of_a_package_are_a_look_and_a_use),
        CHECK_TEST(without_lines_an_interpreter_shows_neither),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
