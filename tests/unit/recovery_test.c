/* Which bind shows that a program got over a refusal. */
#include "harness/check/recovery.h"
#include "tests/unit/frame_writer.h"
#include "tests/unit/history_fixture.h"

enum { SERVER = 1, REFUSED = 50, NEXT = 60, SITE = 0x401000, SECOND = 1000000000 };

static union pw_unit *is_refused_at(uint64_t at) {
    union pw_unit *units = is_refused(SERVER, REFUSED, at);
    units[0].start.site = SITE;
    units[0].start.thread = 7;
    return units;
}

static union pw_unit *binds_next(uint64_t at) {
    union pw_unit *units = bind_socket(SOCK_STREAM, SERVER, NEXT, NEXT, at, PORT + 1, PORT + 1);
    units[0].start.site = SITE + 40;
    units[0].start.thread = 7;
    return units;
}

static bool is_recovered(void) {
    read_history();
    return history->requests[of_socket(REFUSED)].instead.process != 0;
}

static void the_next_number_is_a_recovery(void **state) {
    (void)state;
    is_refused_at(100);
    binds_next(200);
    assert_true(is_recovered());
    assert_int_equal(history->requests[of_socket(REFUSED)].instead.requested_port, PORT + 1);
}

static void another_thread_recovers_nothing(void **state) {
    (void)state;
    is_refused_at(100);
    binds_next(200)[0].start.thread = 8;
    assert_false(is_recovered());
}

static void another_protocol_recovers_nothing(void **state) {
    (void)state;
    is_refused_at(100);
    binds_next(200)[1].socket.type = SOCK_DGRAM;
    assert_false(is_recovered());
}

static void another_part_of_the_program_recovers_nothing(void **state) {
    (void)state;
    is_refused_at(100);
    binds_next(200)[0].start.site = SITE + 100000;
    assert_false(is_recovered());
}

/* Of a program that an interpreter runs all binds are made from one address: the lines tell. */
static bool is_recovered_at(const char *refused_file, const char *next_file) {
    const struct written_frame refused = {refused_file, "serve", 10, PW_FRAME_USER};
    const struct written_frame next = {next_file, "serve_elsewhere", 90, PW_FRAME_USER};
    union pw_unit *units = is_refused_at(100);
    if (refused_file != NULL)
        writer_add_frames(&writer, units, &refused, 1);
    units = binds_next(200);
    if (next_file != NULL)
        writer_add_frames(&writer, units, &next, 1);
    return is_recovered();
}

static void another_function_of_the_file_recovers(void **state) {
    (void)state;
    assert_true(is_recovered_at("/src/server.py", "/src/server.py"));
}

static void another_file_recovers_nothing(void **state) {
    (void)state;
    assert_false(is_recovered_at("/src/server.py", "/src/client.py"));
}

static void who_has_no_frame_may_have_recovered(void **state) {
    (void)state;
    assert_true(is_recovered_at("/src/server.py", NULL));
}

static void a_bind_long_after_recovers_nothing(void **state) {
    (void)state;
    is_refused_at(100);
    binds_next(UINT64_C(6) * SECOND);
    assert_false(is_recovered());
}

static void those_that_follow_one_another_are_recovered_together(void **state) {
    (void)state;
    is_refused_at(100);
    for (uint64_t i = 1; i <= 3; i++) {
        union pw_unit *units = is_refused_at(100 + i * 4 * SECOND);
        units[0].start.cookie = REFUSED + i;
    }
    binds_next(UINT64_C(13) * SECOND);
    assert_true(is_recovered());
    assert_true(history->requests[of_socket(REFUSED + 3)].instead.process != 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HISTORY_TEST(the_next_number_is_a_recovery),
        HISTORY_TEST(another_thread_recovers_nothing),
        HISTORY_TEST(another_protocol_recovers_nothing),
        HISTORY_TEST(another_part_of_the_program_recovers_nothing),
        HISTORY_TEST(another_function_of_the_file_recovers),
        HISTORY_TEST(another_file_recovers_nothing),
        HISTORY_TEST(who_has_no_frame_may_have_recovered),
        HISTORY_TEST(a_bind_long_after_recovers_nothing),
        HISTORY_TEST(those_that_follow_one_another_are_recovered_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
