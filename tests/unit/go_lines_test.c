/* Lines of Go programs, against what the programs themselves print (runtime.CallersFrames). */
#include "tests/unit/go_guest.h"

#include <fcntl.h>

#include "harness/capture/call_lines.h"
#include "harness/capture/remote_program.h"

enum { FRAMES_MAX = 64, ADDRESSES_MAX = 64, TEXT_BYTES = 512 };

/* One stack as the guest prints it. */
struct printed {
    uint64_t address[ADDRESSES_MAX];
    size_t count;
    char frame[FRAMES_MAX][TEXT_BYTES]; /* "FUNCTION FILE LINE" */
    size_t frame_count;
};

struct compared {
    const struct printed *printed;
    size_t at;
};

static struct go_programs programs;

static bool compare_line(void *with, const struct call_line *line) {
    struct compared *compared = with;
    char text[TEXT_BYTES];
    snprintf(text, sizeof text, "%s %s %u", line->function, line->file, line->line);
    assert_true(compared->at < compared->printed->frame_count);
    assert_string_equal(text, compared->printed->frame[compared->at]);
    compared->at++;
    return true;
}

/* The next stack; false at the end. The first address, the program counter, is left empty: the
 * guest knows return addresses alone. */
static bool read_stack(FILE *output, struct printed *printed) {
    char line[4096];
    printed->count = 1;
    printed->address[0] = 0;
    printed->frame_count = 0;
    while (fgets(line, sizeof line, output) != NULL && strcmp(line, "waiting\n") != 0) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "end") == 0)
            return true;
        if (strncmp(line, "frame ", 6) == 0 && printed->frame_count < FRAMES_MAX)
            snprintf(printed->frame[printed->frame_count++], TEXT_BYTES, "%.500s", line + 6);
        if (strncmp(line, "addresses ", 10) != 0)
            continue;
        for (char *at = line + 10; *at != '\0' && printed->count < ADDRESSES_MAX;)
            printed->address[printed->count++] = strtoull(at, &at, 16);
    }
    return false;
}

/* Runs the program, and looks the addresses up in the file `tables`; NULL: in its own. */
static unsigned compare_stacks_with(const char *path, const char *tables) {
    static struct printed printed;
    struct remote_program program;
    struct go_guest guest;
    unsigned stacks = 0;
    go_start(&guest, path);
    bool is_first = true;
    while (read_stack(guest.output, &printed)) {
        if (is_first && !remote_program_open(guest.pid, &program))
            fail_msg("/proc/%d/exe: %s", (int)guest.pid, strerror(errno));
        if (is_first && tables != NULL) {
            close(program.file);
            program.file = open(tables, O_RDONLY | O_CLOEXEC);
            assert_true(program.file >= 0);
        }
        is_first = false;
        assert_true(program.has_bias);
        struct compared compared = {&printed, 0};
        assert_true(call_lines_find(&programs, program.file, program.bias, printed.address,
                                    printed.count, compare_line, &compared));
        assert_int_equal(compared.at, printed.frame_count);
        stacks++;
    }
    assert_false(is_first);
    close(program.file);
    go_end(&guest);
    return stacks;
}

static unsigned compare_stacks(const char *path) { return compare_stacks_with(path, NULL); }

enum { STACKS = 9 };

static void a_static_program(void **state) {
    (void)state;
    assert_int_equal(compare_stacks(go_build_static()), STACKS);
}

static void a_program_without_symbols_and_dwarf(void **state) {
    (void)state;
    const char *path = go_build("stripped", "CGO_ENABLED=0", "build '-ldflags=-s -w'");
    assert_int_equal(compare_stacks(path), STACKS);
}

/* All of Go's library has to be compiled for it, so what can be had together is. */
static void a_position_independent_one_without_folders(void **state) {
    (void)state;
    const char *path =
        go_build("pie", "CGO_ENABLED=0", "build -buildmode=pie -trimpath '-ldflags=-s -w'");
    assert_int_equal(compare_stacks(path), STACKS);
}

static void a_program_with_c_in_it(void **state) {
    (void)state;
    assert_int_equal(compare_stacks(go_build("cgo", "CGO_ENABLED=1", "build")), STACKS);
}

/* Linked by the C compiler. Go's library is compiled as for the one without C, if folders are left
 * out as well. */
static void a_position_independent_one_with_c_in_it(void **state) {
    (void)state;
    assert_int_equal(compare_stacks(go_build("cgo-pie", "CGO_ENABLED=1", "build -buildmode=pie")),
                     STACKS);
}

static void a_test(void **state) {
    (void)state;
    assert_int_equal(compare_stacks(go_build("test", "CGO_ENABLED=0", "test -c")), 1);
}

static void copy_file(const char *from, const char *to) {
    char command[3 * PATH_MAX];
    snprintf(command, sizeof command, "cp %s %s", from, to);
    assert_int_equal(system(command), 0);
}

/* The file as it is without its table of sections: nothing but the magic leads to Go's table. */
static void a_program_without_sections(void **state) {
    (void)state;
    char path[PATH_MAX];
    const unsigned char none[10] = {0}; /* e_shoff, and then e_shnum and e_shstrndx */
    snprintf(path, sizeof path, "%s/no-sections", go_folder);
    copy_file(go_build_static(), path);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, none, 8, 0x28), 8);
    assert_int_equal(pwrite(file, none, 4, 0x3c), 4);
    close(file);
    assert_int_equal(compare_stacks(path), STACKS);
}

/* From Go 1.26 on the table's header has 0 in the place of where the code begins. */
static void a_table_that_does_not_say_where_code_begins(void **state) {
    (void)state;
    static const char *const ways[][3] = {
        {"static", "CGO_ENABLED=0", "build"},
        {"pie", "CGO_ENABLED=0", "build -buildmode=pie -trimpath '-ldflags=-s -w'"},
        {"cgo-pie", "CGO_ENABLED=1", "build -buildmode=pie -trimpath"}};
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
        char program[PATH_MAX];
        char path[PATH_MAX];
        struct go_table table;
        const uint64_t none = 0;
        snprintf(program, sizeof program, "%s", go_build(ways[i][0], ways[i][1], ways[i][2]));
        snprintf(path, sizeof path, "%s/no-text", go_folder);
        copy_file(program, path);
        int file = open(path, O_RDWR | O_CLOEXEC);
        assert_true(go_table_open(&table, file));
        assert_int_equal(pwrite(file, &none, sizeof none, (off_t)table.begin + 24), sizeof none);
        go_table_close(&table);
        close(file);
        assert_int_equal(compare_stacks_with(program, path), STACKS);
    }
}

static bool never(void *with, const struct call_line *line) {
    (void)with;
    fail_msg("%s:%u", line->file, line->line);
    return false;
}

static void a_program_that_is_not_of_go_has_no_lines(void **state) {
    (void)state;
    const uint64_t address[2] = {0x401000, 0x402000};
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    assert_false(call_lines_find(&programs, file, 0, address, 2, never, NULL));
    assert_null(go_programs_find(&programs, file));
    close(file);
}

static void a_file_that_is_replaced_is_another_program(void **state) {
    (void)state;
    char path[PATH_MAX];
    struct stat before;
    snprintf(path, sizeof path, "%s/replaced", go_folder);
    copy_file(go_build_static(), path);
    int file = open(path, O_RDWR | O_CLOEXEC);
    assert_non_null(go_programs_find(&programs, file));
    assert_int_equal(fstat(file, &before), 0);
    assert_int_equal(ftruncate(file, 1000), 0);
    const struct timespec times[2] = {{0, UTIME_NOW}, {before.st_mtim.tv_sec + 1, 0}};
    assert_int_equal(futimens(file, times), 0);
    assert_null(go_programs_find(&programs, file));
    close(file);
}

static int close_programs(void **state) {
    (void)state;
    go_programs_close(&programs);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_static_program),
        cmocka_unit_test(a_program_without_symbols_and_dwarf),
        cmocka_unit_test(a_position_independent_one_without_folders),
        cmocka_unit_test(a_program_with_c_in_it),
        cmocka_unit_test(a_test),
        cmocka_unit_test(a_program_without_sections),
        cmocka_unit_test(a_program_that_is_not_of_go_has_no_lines),
        cmocka_unit_test(a_file_that_is_replaced_is_another_program),
        cmocka_unit_test(a_position_independent_one_with_c_in_it),
        cmocka_unit_test_teardown(a_table_that_does_not_say_where_code_begins, close_programs),
    };
    return cmocka_run_group_tests(tests, go_make_folder, go_remove_folder);
}
