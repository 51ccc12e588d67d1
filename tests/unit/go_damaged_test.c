/* Programs whose tables were damaged at random: whatever is asked of them must come to an end, and
 * within the file. Under a sanitizer, each read outside of memory shows. */
#include "tests/unit/go_guest.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>

#include "harness/base/splitmix.h"
#include "harness/capture/call_lines.h"

/* In full length so many as TSan or valgrind leave time for. */
enum { MUTANTS = 400, MUTANTS_FULL = 20000, FULL_SECONDS = 100 };
enum { LOOKUPS = 12, SECONDS_MAX = 60, HEADER_BYTES = 72 };

static uint64_t state;
static uint64_t draw(void) { return splitmix(&state); }
static size_t below(size_t limit) { return limit == 0 ? 0 : (size_t)(draw() % limit); }

/* The whole program, and a file in memory that is damaged and put right again. */
static unsigned char *whole;
static size_t size;
static int file;
static uint64_t table_begin;
static uint64_t entry;

static void load(const char *path) {
    struct go_table table;
    int program = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(program >= 0);
    assert_true(go_table_open(&table, program));
    table_begin = table.begin;
    entry = table.image.entry;
    go_table_close(&table);
    size = (size_t)lseek(program, 0, SEEK_END);
    whole = malloc(size);
    assert_non_null(whole);
    assert_int_equal(pread(program, whole, size, 0), size);
    close(program);
    file = memfd_create("damaged", MFD_CLOEXEC);
    assert_int_equal(pwrite(file, whole, size, 0), size);
}

static void put(size_t offset, uint64_t value, size_t bytes) {
    if (offset <= size && bytes <= size - offset)
        assert_int_equal(pwrite(file, &value, bytes, (off_t)offset), bytes);
}

/* Numbers that mean something, or nearly. */
static uint64_t odd(void) {
    const uint64_t values[] = {0,          1,           UINT64_MAX, INT64_MAX,
                               UINT32_MAX, INT32_MAX,   size,       size - 1,
                               entry,      table_begin, draw(),     UINT64_C(1) << (draw() % 64)};
    return values[below(sizeof values / sizeof *values)];
}

static void damage_header(void) { put(table_begin + below(HEADER_BYTES), odd(), 1 + below(8)); }

static void damage_programs_headers(void) { put(below(0x400), odd(), 1 + below(8)); }

static void damage_table(void) {
    for (size_t i = 1 + below(2000); i-- > 0;)
        put(table_begin + below(size - table_begin), draw(), 1 + below(4));
}

static void damage_all(void) {
    for (size_t i = 1 + below(200); i-- > 0;)
        put(below(size), odd(), 1 + below(8));
}

/* Sequences of values that go on and on. */
static void lengthen_values(void) {
    unsigned char bytes[4096];
    memset(bytes, below(2) == 0 ? 0x02 : 0xff, sizeof bytes);
    for (size_t at = table_begin; at + sizeof bytes < size; at += sizeof bytes)
        if (below(2) == 0)
            assert_int_equal(pwrite(file, bytes, sizeof bytes, (off_t)at), sizeof bytes);
}

static void cut(void) { assert_int_equal(ftruncate(file, (off_t)below(size)), 0); }

static void lose_sections(void) { put(0x28, 0, 8); }

static void (*const ways[])(void) = {damage_header, damage_programs_headers, damage_table,
                                     damage_all,    lengthen_values,         cut,
                                     lose_sections};

static bool count_line(void *with, const struct call_line *line) {
    unsigned *lines = with;
    assert_non_null(memchr(line->file, '\0', GO_FILE_BYTES));
    assert_non_null(memchr(line->function, '\0', GO_NAME_BYTES));
    ++*lines;
    return true;
}

static unsigned ask(void) {
    static struct go_programs programs;
    uint64_t address[LOOKUPS];
    unsigned lines = 0;
    for (unsigned i = 0; i < LOOKUPS; i++)
        address[i] = below(4) == 0 ? odd() : entry - below(1 << 18) + below(1 << 18);
    call_lines_find(&programs, file, 0, address, LOOKUPS, count_line, &lines);
    go_programs_close(&programs);
    return lines;
}

static bool goes_on(unsigned mutants, time_t begin) {
    return mutants < MUTANTS || (getenv("TESTS_FULL") != NULL && mutants < MUTANTS_FULL &&
                                 time(NULL) - begin < FULL_SECONDS);
}

static void every_damaged_program_is_read_to_its_end(void **unused) {
    const time_t begin = time(NULL);
    unsigned mutants = 0;
    unsigned lines = 0;
    (void)unused;
    load(go_build_static());
    assert_true(ask() > 0);
    for (; goes_on(mutants, begin); mutants++) {
        alarm(SECONDS_MAX); /* for one */
        state = mutants;
        for (size_t times = 1 + below(3); times-- > 0;)
            ways[below(sizeof ways / sizeof *ways)]();
        lines += ask();
        assert_int_equal(pwrite(file, whole, size, 0), size);
    }
    alarm(0);
    assert_true(lines > mutants); /* most damage leaves something to be read */
    free(whole);
    close(file);
}

/* How many times as long all takes under TSan or valgrind, at most. */
static long slowness(void) {
#if defined(__SANITIZE_THREAD__)
    return 60;
#endif
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL ? 60 : 1;
}

/* One answer may not take long, whatever the program says: here sequences of values go on for 32
 * MiB, and each address lies in a function that has one. */
static void a_program_of_endless_sequences_is_given_up(void **unused) {
    static unsigned char endless[1 << 20];
    const size_t bytes = sizeof endless * 32;
    struct timespec begin;
    struct timespec end;
    Elf64_Phdr segment;
    (void)unused;
    load(go_build_static());
    for (size_t i = 0; i < sizeof endless; i += 2)
        endless[i] = 2; /* the value grows by 1, the address by 0 */
    for (size_t at = 0; at < bytes; at += sizeof endless)
        assert_int_equal(pwrite(file, endless, sizeof endless, (off_t)(size + at)), sizeof endless);
    for (size_t at = sizeof(Elf64_Ehdr); at < 0x400; at += sizeof segment) {
        memcpy(&segment, whole + at, sizeof segment);
        if (segment.p_type == PT_LOAD && segment.p_offset <= table_begin &&
            table_begin - segment.p_offset < segment.p_filesz)
            put(at + offsetof(Elf64_Phdr, p_filesz), size + bytes - segment.p_offset, 8);
    }
    /* The header's offset of values: with it all sequences lie behind the program. */
    put(table_begin + 56, size - table_begin, 8);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    state = 7;
    assert_true(ask() > 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    assert_true((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000 <
                500 * slowness());
    free(whole);
    close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_damaged_program_is_read_to_its_end),
        cmocka_unit_test(a_program_of_endless_sequences_is_given_up),
    };
    return cmocka_run_group_tests(tests, go_make_folder, go_remove_folder);
}
