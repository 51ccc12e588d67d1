/* Which frame of a call is the user's, and what makes two calls come from one place. */
#include <stdlib.h>

#include "harness/trace/record_frames.h"
#include "tests/unit/bindings_fixture.h"
#include "tests/unit/frame_writer.h"

#define LIBRARY                                                                                    \
    { "/usr/lib/python3.11/socketserver.py", "server_bind", 472, PW_FRAME_LIBRARY }
#define PICKER                                                                                     \
    { "/venv/site-packages/portpicker/__init__.py", "bind", 42, PW_FRAME_DEPENDENCY }
#define OTHER_PICKER                                                                               \
    { "/venv/site-packages/portpicker/__init__.py", "pick", 60, PW_FRAME_DEPENDENCY }
#define TEST_UP                                                                                    \
    { "/src/tests/test_a.py", "test_up", 7, PW_FRAME_USER }
#define TEST_DOWN                                                                                  \
    { "/src/tests/test_a.py", "test_down", 17, PW_FRAME_USER }
#define ELSEWHERE                                                                                  \
    { "/src/tests/conftest.py", "test_up", 7, PW_FRAME_USER }

#define FRAMES(...)                                                                                \
    (const struct written_frame[]) { __VA_ARGS__ }

static void bind_with(uint64_t cookie, const struct written_frame *frames, unsigned count) {
    union pw_unit *units = bind_socket(SOCK_STREAM, PARENT, (int)cookie, cookie, 100, 0, 40000);
    units->start.site = 0x401000;
    writer_add_frames(&writer, units, frames, count);
}

/* The places of the two binds that were written. */
static void read_places(uint64_t places[2]) {
    struct trace_reader_problem problem;
    struct trace_record record;
    unsigned count = 0;
    writer_store(&writer);
    struct trace_reader *reader = trace_reader_open(writer.path, &problem);
    assert_non_null(reader);
    while (trace_reader_next(reader, &record) == TRACE_NEXT_RECORD)
        if (record.kind == PW_KIND_BIND && count < 2)
            places[count++] = record_place(&record);
    trace_reader_close(reader);
    assert_int_equal(count, 2);
}

static void the_line_of_the_user_is_the_place(void **state) {
    uint64_t places[2];
    (void)state;
    bind_with(1, FRAMES(LIBRARY, TEST_UP), 2);
    bind_with(2, FRAMES(TEST_UP), 1);
    read_places(places);
    assert_true(place_is_of_frame(places[0]));
    assert_true(places[0] == places[1]);
}

static void two_lines_of_one_file_are_two_places(void **state) {
    uint64_t places[2];
    (void)state;
    bind_with(1, FRAMES(LIBRARY, TEST_UP), 2);
    bind_with(2, FRAMES(LIBRARY, TEST_DOWN), 2);
    read_places(places);
    assert_false(places[0] == places[1]);
    assert_true(places_share_file(places[0], places[1]));
}

static void one_name_in_two_files_is_two_places(void **state) {
    uint64_t places[2];
    (void)state;
    bind_with(1, FRAMES(TEST_UP), 1);
    bind_with(2, FRAMES(ELSEWHERE), 1);
    read_places(places);
    assert_false(places[0] == places[1]);
    assert_false(places_share_file(places[0], places[1]));
}

/* A package may look for a number in one function and bind it in another, for one call of it. */
static void two_places_of_a_package_are_not_one(void **state) {
    uint64_t places[2];
    (void)state;
    bind_with(1, FRAMES(PICKER, TEST_UP), 2);
    bind_with(2, FRAMES(OTHER_PICKER, TEST_UP), 2);
    read_places(places);
    assert_false(places[0] == places[1]);
    assert_true(places_share_file(places[0], places[1]));
}

static void without_frames_the_address_is_the_place(void **state) {
    uint64_t places[2];
    (void)state;
    bind_socket(SOCK_STREAM, PARENT, 1, 1, 100, 0, 40000)->start.site = 0x401000;
    bind_with(2, FRAMES(TEST_UP), 1);
    read_places(places);
    assert_true(places[0] == 0x401000);
    assert_false(place_is_of_frame(places[0]));
    assert_true(place_is_of_frame(places[1]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_line_of_the_user_is_the_place),       TEST(two_lines_of_one_file_are_two_places),
        TEST(one_name_in_two_files_is_two_places),     TEST(two_places_of_a_package_are_not_one),
        TEST(without_frames_the_address_is_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
