/* Which frames of a call are kept, for whom, and that the reader finds what the shim wrote. The
 * shim is not a library, so its files are compiled in; what they ask the rest of it for is answered
 * here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/trace/record_frames.h"
#include "harness/trace/strings.h"
#include "shim/frames/call_frames.c"
#include "shim/frames/frames.c"
#include "shim/frames/text.c"
#include "shim/shared/trace_file.h"

enum { FD = 7, PROCESS = 1, CALL = 3, OTHER_CALL = 6 };

static char folder[] = "/tmp/frames-test-XXXXXX";
static char path[64];
static enum gate now = GATE_OPEN;

_Atomic(struct descriptor *) descriptor_blocks[DESCRIPTOR_BLOCKS];

enum gate gate(void) { return now; }
bool gate_is_open(void) { return now != GATE_CLOSED; }
uint64_t identity_serial(void) { return PROCESS; }
uint32_t identity_thread(void) { return 1; }
void module_note(const void *site) { (void)site; }
bool module_of_jdk_is_known(void) { return false; }

/* The language of these tests: what it answers is what a test has set. */
static const struct frame_text *stack;
static size_t stack_count;
static unsigned walks;
static size_t handed_over;

static bool walk_stack(struct frames *frames, int fd, const void *site) {
    (void)site;
    assert_int_equal(fd, FD);
    walks++;
    errno = EBADMSG;
    handed_over = 0;
    for (size_t i = 0; i < stack_count; i++) {
        handed_over++;
        if (!frames_add(frames, stack[i].of, stack[i].file, stack[i].function, stack[i].line))
            break;
    }
    frames_name_thread(frames, "worker 3");
    return stack_count > 0;
}

static bool walk_nothing(struct frames *frames, int fd, const void *site) {
    (void)fd;
    (void)site;
    return frames->kept.count != 0;
}

frames_walk *const languages[] = {walk_nothing, walk_stack};
const unsigned languages_count = 2;

static void attach(unsigned stacks, bool no_frames) {
    struct trace_plan plan = {
        .max_size = UINT64_C(4) << 20, .stacks = stacks, .no_frames = no_frames};
    struct trace_problem problem = {.what = ""};
    struct trace_map map = {.size = 0};
    unlink(path);
    if (!trace_create(path, &plan, &problem) || !trace_open(path, &map, &problem))
        fail_msg("%s (%d)", problem.what, problem.error);
    recorder_attach(&map);
    for (unsigned i = 0; i < SLOTS; i++)
        written[i] = 0;
}

static int begin(void **state) {
    (void)state;
    now = GATE_OPEN;
    walks = 0;
    stack_count = 0;
    frames_forget();
    attach(0, false);
    languages_found = true;
    return 0;
}

static int make_folder(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/trace", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder);
}

#define STACK(...)                                                                                 \
    do {                                                                                           \
        static const struct frame_text list[] = {__VA_ARGS__};                                     \
        stack = list;                                                                              \
        stack_count = sizeof list / sizeof *list;                                                  \
    } while (0)

static const struct frame_text from_socket = {"socket.py", "create_server", 900, PW_FRAME_LIBRARY,
                                              false};
static const struct frame_text from_port = {"free/port.py", "pick", 12, PW_FRAME_DEPENDENCY, false};
static const struct frame_text from_deep = {"free/deep.py", "deep", 3, PW_FRAME_DEPENDENCY, false};
static const struct frame_text from_user = {"conftest.py", "free_port", 13, PW_FRAME_USER, false};
static const struct frame_text from_test = {"test_a.py", "test_up", 40, PW_FRAME_USER, false};
static const struct frame_text from_pytest = {"python.py", "pyfunc", 194, PW_FRAME_FRAMEWORK,
                                              false};

/* Records a bind with the frames of the call, and reads it: "file:line function (thread) | ...". */
static const char *recorded(void) {
    static char text[2048];
    struct trace_reader_problem problem;
    struct trace_record record;
    struct record written_record;
    struct strings strings = {0};
    char *at = text;
    const struct frames *frames = frames_of_call(FD, CALL, NULL);
    assert_true(record_begin(&written_record, PW_KIND_BIND, 2 + frames_units(frames), PROCESS, FD,
                             monotonic_ns()));
    frames_write(&written_record, 2, frames);
    record_commit(&written_record, 0);
    struct trace_reader *reader = trace_reader_open(path, &problem);
    assert_non_null(reader);
    *text = '\0';
    while (trace_reader_next(reader, &record) == TRACE_NEXT_RECORD) {
        strings_note(&strings, &record);
        if (record.unit != written_record.number)
            continue;
        for (unsigned i = 0; i < record_frame_count(&record); i++) {
            struct frame_text frame = strings_frame(&strings, record_frame(&record, i));
            assert_string_equal(strings_first(&strings, record_frame_thread(&record)), "worker 3");
            at += sprintf(at, "%s%s:%u %s%s", i > 0 ? " | " : "", frame.file, frame.line,
                          frame.function, frame.is_test ? " (test)" : "");
        }
    }
    strings_free(&strings);
    trace_reader_close(reader);
    return text;
}

static void the_users_frame_and_its_caller_are_kept(void **state) {
    (void)state;
    STACK(from_socket, from_user, from_test, from_pytest);
    assert_string_equal(recorded(), "conftest.py:13 free_port | test_a.py:40 test_up (test)");
    assert_int_equal(handed_over, 4);
}

static void the_frame_of_a_package_is_kept_before_the_users(void **state) {
    (void)state;
    STACK(from_socket, from_port, from_deep, from_user, from_pytest, from_test);
    assert_string_equal(recorded(), "free/port.py:12 pick | conftest.py:13 free_port (test)");
}

static void without_a_frame_of_the_user_the_innermost_stands(void **state) {
    (void)state;
    STACK(from_socket, from_pytest);
    assert_string_equal(recorded(), "socket.py:900 create_server");
    STACK(from_socket, from_port, from_deep);
    assert_string_equal(recorded(), "free/port.py:12 pick");
}

static void with_stacks_all_are_kept_up_to_as_many_as_are_asked_for(void **state) {
    (void)state;
    attach(5, false);
    STACK(from_socket, from_port, from_deep, from_user, from_pytest, from_test);
    assert_string_equal(recorded(), "socket.py:900 create_server | free/port.py:12 pick | "
                                    "free/deep.py:3 deep | conftest.py:13 free_port (test) | "
                                    "python.py:194 pyfunc");
    assert_int_equal(handed_over, 5);
}

static const struct frame_text from_case = {"test_a.py", "run_case", 50, PW_FRAME_USER, false};
static const struct frame_text from_plugin = {"conftest.py", "pytest_call", 60, PW_FRAME_USER,
                                              false};

static void what_a_framework_called_is_kept_as_the_test(void **state) {
    (void)state;
    STACK(from_user, from_test, from_pytest, from_plugin, from_pytest);
    assert_string_equal(recorded(), "conftest.py:13 free_port | test_a.py:40 test_up (test)");
    STACK(from_test, from_socket, from_pytest);
    assert_string_equal(recorded(), "test_a.py:40 test_up (test)");
    STACK(from_port, from_user, from_case, from_socket, from_test, from_socket, from_pytest);
    assert_string_equal(recorded(), "free/port.py:12 pick | conftest.py:13 free_port | "
                                    "test_a.py:50 run_case | test_a.py:40 test_up (test)");
    STACK(from_pytest, from_user, from_case, from_test);
    assert_string_equal(recorded(), "conftest.py:13 free_port | test_a.py:50 run_case");
}

static void a_test_is_not_looked_for_far_away(void **state) {
    (void)state;
    static struct frame_text deep[40];
    deep[0] = from_user;
    deep[1] = from_case;
    for (size_t i = 2; i < 39; i++)
        deep[i] = from_socket;
    deep[39] = from_pytest;
    stack = deep;
    stack_count = 40;
    assert_string_equal(recorded(), "conftest.py:13 free_port | test_a.py:50 run_case");
    assert_in_range(handed_over, 10, 30);
    deep[9] = from_pytest;
    assert_string_equal(recorded(), "conftest.py:13 free_port | test_a.py:50 run_case (test)");
}

static void with_stacks_the_test_is_marked_among_all(void **state) {
    (void)state;
    attach(16, false);
    STACK(from_socket, from_user, from_case, from_pytest, from_plugin, from_pytest);
    assert_string_equal(recorded(), "socket.py:900 create_server | conftest.py:13 free_port | "
                                    "test_a.py:50 run_case (test) | python.py:194 pyfunc | "
                                    "conftest.py:60 pytest_call | python.py:194 pyfunc");
}

static void nobody_is_asked_where_frames_are_off_or_memory_is_anothers(void **state) {
    (void)state;
    STACK(from_user);
    now = GATE_VFORK;
    assert_null(frames_of_call(FD, CALL, NULL));
    now = GATE_OPEN;
    attach(0, true);
    assert_null(frames_of_call(FD, CALL, NULL));
    assert_false(frames_are_on());
    assert_int_equal(walks, 0);
}

static struct frames noted_frames(const struct frame_text *frame) {
    struct frames frames;
    frames_begin(&frames);
    frames_add(&frames, frame->of, frame->file, frame->function, frame->line);
    frames_name_thread(&frames, "worker 3");
    return frames;
}

static void what_was_left_for_a_descriptor_is_used_once_and_for_it_alone(void **state) {
    (void)state;
    struct frames frames = noted_frames(&from_user);
    frames_note(FD, &frames);
    assert_string_equal(recorded(), "conftest.py:13 free_port");
    assert_string_equal(recorded(), "");
    frames_note(FD + 1, &frames);
    assert_string_equal(recorded(), "");
    frames_note(FD + 1, &frames);
    frames_forget();
    assert_string_equal(recorded(), "");
}

static void what_was_left_for_a_call_is_not_used_for_another(void **state) {
    (void)state;
    struct frames frames = noted_frames(&from_user);
    frames.call = OTHER_CALL;
    frames_note(FD, &frames);
    assert_string_equal(recorded(), "");
    frames.call = CALL;
    frames_note(FD, &frames);
    assert_string_equal(recorded(), "conftest.py:13 free_port");
}

static void what_was_left_for_a_socket_is_not_used_for_the_next_of_that_number(void **state) {
    (void)state;
    static struct descriptor block[DESCRIPTOR_BLOCK];
    struct frames frames = noted_frames(&from_user);
    atomic_store(&descriptor_blocks[0], block);
    atomic_store(&block[FD].cookie, 100);
    frames_note(FD, &frames);
    assert_string_equal(recorded(), "conftest.py:13 free_port");
    frames_note(FD, &frames);
    atomic_store(&block[FD].cookie, 101);
    assert_string_equal(recorded(), "");
    atomic_store(&descriptor_blocks[0], NULL);
}

static void a_walk_at_the_call_comes_before_what_was_left_for_it(void **state) {
    (void)state;
    struct frames frames = noted_frames(&from_user);
    frames_note(FD, &frames);
    STACK(from_test);
    assert_string_equal(recorded(), "test_a.py:40 test_up");
    stack_count = 0;
    assert_string_equal(recorded(), "");
}

static void what_was_left_for_any_descriptor_holds_until_it_is_taken_back(void **state) {
    (void)state;
    struct frames frames = noted_frames(&from_user);
    frames_note(FRAMES_ANY_DESCRIPTOR, &frames);
    assert_string_equal(recorded(), "conftest.py:13 free_port");
    assert_string_equal(recorded(), "conftest.py:13 free_port");
    frames_forget();
    assert_string_equal(recorded(), "");
}

static void errno_is_kept(void **state) {
    (void)state;
    STACK(from_user);
    errno = ENOTTY;
    assert_non_null(frames_of_call(FD, CALL, NULL));
    assert_int_equal(errno, ENOTTY);
}

static void a_text_is_written_once_and_a_long_path_keeps_its_end(void **state) {
    (void)state;
    char long_path[900];
    memset(long_path, 'x', sizeof long_path);
    strcpy(long_path + sizeof long_path - 10, "/tests.py");
    uint64_t before = recorder_units_taken();
    uint64_t first = text_intern("conftest.py", "free_port");
    assert_int_equal(recorder_units_taken() - before, 2);
    assert_int_equal(text_intern("conftest.py", "free_port"), first);
    assert_int_equal(recorder_units_taken() - before, 2);
    assert_int_not_equal(text_intern("conftest.py", "free_port2"), first);
    assert_int_equal(text_intern("conftest.py", "free_port2") >> 32, first >> 32);
    const struct frame_text frames[] = {{long_path, "up", 1, PW_FRAME_USER, false}};
    stack = frames;
    stack_count = 1;
    const char *text = recorded();
    assert_true(strlen(text) < 300);
    assert_non_null(strstr(text, "/tests.py:1 up"));
}

static void files_whose_hashes_are_the_same_are_told_apart(void **state) {
    (void)state;
    uint64_t one = text_intern("tests/test_168935.py", "free_port");
    uint64_t other = text_intern("tests/test_257466.py", "free_port");
    assert_int_equal(one >> 32, other >> 32);
    assert_int_not_equal(one, other);
}

static void a_unit_that_says_it_holds_more_than_it_can_holds_what_it_can(void **state) {
    (void)state;
    struct pw_frames units[2] = {{.code = 99, .frame[2].line = 5}, {.code = 1, .frame[0].line = 6}};
    struct trace_record record = {.frames = units, .frame_units = 2};
    assert_int_equal(record_frame_count(&record), 4);
    assert_int_equal(record_frame(&record, 2)->line, 5);
    assert_int_equal(record_frame(&record, 3)->line, 6);
}

int main(void) {
#define TEST(test) cmocka_unit_test_setup(test, begin)
    const struct CMUnitTest tests[] = {
        TEST(the_users_frame_and_its_caller_are_kept),
        TEST(the_frame_of_a_package_is_kept_before_the_users),
        TEST(without_a_frame_of_the_user_the_innermost_stands),
        TEST(with_stacks_all_are_kept_up_to_as_many_as_are_asked_for),
        TEST(what_a_framework_called_is_kept_as_the_test),
        TEST(a_test_is_not_looked_for_far_away),
        TEST(with_stacks_the_test_is_marked_among_all),
        TEST(nobody_is_asked_where_frames_are_off_or_memory_is_anothers),
        TEST(what_was_left_for_a_descriptor_is_used_once_and_for_it_alone),
        TEST(what_was_left_for_a_call_is_not_used_for_another),
        TEST(what_was_left_for_a_socket_is_not_used_for_the_next_of_that_number),
        TEST(a_walk_at_the_call_comes_before_what_was_left_for_it),
        TEST(what_was_left_for_any_descriptor_holds_until_it_is_taken_back),
        TEST(errno_is_kept),
        TEST(a_text_is_written_once_and_a_long_path_keeps_its_end),
        TEST(files_whose_hashes_are_the_same_are_told_apart),
        TEST(a_unit_that_says_it_holds_more_than_it_can_holds_what_it_can),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
