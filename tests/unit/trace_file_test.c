/* Making and opening trace files: what stands in a new one, and which are refused, with what words.
 */
#include "shim/shared/trace_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "shim/shared/clock.h"

#define MEBIBYTE (UINT64_C(1) << 20)

static char folder[] = "/tmp/trace-file-test-XXXXXX";
static char path[64];
static char other[64];

static int make_folder(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/trace", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

static int remove_files(void **state) {
    (void)state;
    unlink(path);
    unlink(other);
    return 0;
}

static void create(const struct trace_plan *plan) {
    struct trace_problem problem = {.what = ""};
    if (!trace_create(path, plan, &problem))
        fail_msg("%s (%d)", problem.what, problem.error);
}

static void is_not_created(const struct trace_plan *plan, const char *where, const char *what,
                           int error) {
    struct trace_problem problem = {.what = ""};
    assert_false(trace_create(where, plan, &problem));
    assert_string_equal(problem.what, what);
    assert_int_equal(problem.error, error);
}

static struct trace_map open_trace(void) {
    struct trace_problem problem = {.what = ""};
    struct trace_map map = {.base = NULL, .size = 0};
    if (!trace_open(path, &map, &problem))
        fail_msg("%s (%d)", problem.what, problem.error);
    return map;
}

static void is_not_opened(const char *where, const char *what, int error) {
    struct trace_problem problem = {.what = ""};
    struct trace_map map = {.base = NULL, .size = 0};
    assert_false(trace_open(where, &map, &problem));
    assert_string_equal(problem.what, what);
    assert_int_equal(problem.error, error);
    assert_null(map.base);
}

static unsigned files_in_folder(void) {
    unsigned count = 0;
    DIR *stream = opendir(folder);
    assert_non_null(stream);
    while (readdir(stream) != NULL)
        count++;
    closedir(stream);
    return count - 2; /* itself and its parent */
}

static int lowest_free_descriptor(void) {
    int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

static void read_boot_id(uint8_t id[16]) {
    unsigned part[16];
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    assert_non_null(file);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(fscanf(file, i >= 4 && i <= 10 && i % 2 == 0 ? "-%2x" : "%2x", &part[i]),
                         1);
        id[i] = (uint8_t)part[i];
    }
    fclose(file);
}

static void a_new_trace_says_what_it_is(void **state) {
    (void)state;
    const struct pw_policy_config config = {.kind = PW_POLICY_SEEDED,
                                            .seed = UINT64_C(0x123456789abcdef0)};
    const struct trace_plan plan = {.max_size = 3 * MEBIBYTE,
                                    .supervisor_pid = 4711,
                                    .host_id = "machine-7",
                                    .policy = "seeded",
                                    .config = &config};
    uint8_t boot_id[16];
    uint64_t monotonic = clock_ns(CLOCK_MONOTONIC), realtime = clock_ns(CLOCK_REALTIME);
    create(&plan);
    struct trace_map map = open_trace();
    const struct pw_header *header = map.base;
    assert_memory_equal(header->magic, "PORTWIT\n", 8);
    assert_int_equal(header->version, 1);
    assert_int_equal(header->byte_order, 0x01020304);
    assert_int_equal(header->unit_size, 64);
    assert_int_equal(header->units_offset, 4096 + MEBIBYTE);
    assert_int_equal(header->features, 0);
    assert_int_equal(header->capacity, 3 * MEBIBYTE);
    assert_int_equal(header->policy_offset, 4096);
    assert_int_equal(header->policy_size, MEBIBYTE);
    read_boot_id(boot_id);
    assert_memory_equal(header->boot_id, boot_id, 16);
    assert_in_range(header->monotonic_ns, monotonic, clock_ns(CLOCK_MONOTONIC));
    assert_in_range(header->realtime_ns, realtime, clock_ns(CLOCK_REALTIME));
    assert_int_equal(header->seed, UINT64_C(0x123456789abcdef0));
    assert_string_equal(header->policy, "seeded");
    assert_string_equal(header->host_id, "machine-7");
    assert_int_equal(header->supervisor_pid, 4711);
    munmap(map.base, map.size);
}

static void nothing_is_recorded_in_a_new_trace(void **state) {
    (void)state;
    const struct trace_plan plan = {.max_size = 2 * MEBIBYTE};
    create(&plan);
    struct trace_map map = open_trace();
    const struct pw_header *header = map.base;
    const char *units = (const char *)map.base + PW_UNITS_OFFSET;
    assert_string_equal(header->policy, "kernel");
    assert_string_equal(header->host_id, "");
    assert_int_equal(header->supervisor_pid, 0);
    assert_int_equal(header->next_unit, 0);
    assert_int_equal(header->next_process, 0);
    assert_int_equal(header->stopped, PW_STOP_NONE);
    for (int i = 0; i < PW_LOST_CAUSES; i++)
        assert_int_equal(header->lost[i], 0);
    for (unsigned i = 0; i < PW_NAMESPACES_MAX; i++)
        assert_int_equal(header->namespaces[i], 0);
    for (size_t i = 0; i < map.size - PW_UNITS_OFFSET; i++)
        if (units[i] != 0)
            fail_msg("byte %zu of the units is not blank", i);
    /* There is room for the first records, and no more than that. */
    assert_in_range(header->populated_to, PW_UNITS_OFFSET + PW_UNIT_SIZE, 2 * MEBIBYTE);
    munmap(map.base, map.size);
}

static void names_too_long_for_the_header_are_cut(void **state) {
    (void)state;
    char name[100];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    const struct trace_plan plan = {.max_size = 2 * MEBIBYTE, .host_id = name, .policy = name};
    create(&plan);
    struct trace_map map = open_trace();
    const struct pw_header *header = map.base;
    assert_int_equal(strnlen(header->host_id, sizeof header->host_id), sizeof header->host_id - 1);
    assert_int_equal(strnlen(header->policy, sizeof header->policy), sizeof header->policy - 1);
    munmap(map.base, map.size);
}

static struct stat status_of(const char *file) {
    struct stat status;
    assert_int_equal(stat(file, &status), 0);
    return status;
}

static void a_trace_is_large_and_takes_no_room(void **state) {
    (void)state;
    const struct trace_plan plan = {.max_size = 0};
    create(&plan);
    struct stat status = status_of(path);
    assert_int_equal(status.st_size, UINT64_C(4) << 30);
    assert_true(status.st_blocks > 0);
    assert_true((uint64_t)status.st_blocks * 512 < MEBIBYTE / 2); /* not even the policies' area */
}

static void its_size_is_in_whole_pages(void **state) {
    (void)state;
    const struct trace_plan plan = {.max_size = 3 * MEBIBYTE + 4097};
    create(&plan);
    assert_int_equal(status_of(path).st_size, 3 * MEBIBYTE + 4096);
}

static void only_its_owner_may_read_it_unless_asked_for(void **state) {
    (void)state;
    struct trace_plan plan = {.max_size = 2 * MEBIBYTE};
    mode_t mask = umask(0);
    create(&plan);
    assert_int_equal(status_of(path).st_mode & 07777, 0600);
    unlink(path);
    umask(077);
    plan.mode = 0660;
    create(&plan);
    umask(mask);
    assert_int_equal(status_of(path).st_mode & 07777, 0660);
}

static void write_other(const char *text) {
    FILE *file = fopen(other, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void an_existing_file_is_left_alone(void **state) {
    (void)state;
    const struct trace_plan plan = {.max_size = 2 * MEBIBYTE};
    write_other("precious");
    is_not_created(&plan, other, "exists already", EEXIST);
    assert_int_equal(status_of(other).st_size, 8);
    assert_int_equal(symlink(other, path), 0);
    is_not_created(&plan, path, "exists already", EEXIST);
    assert_int_equal(status_of(other).st_size, 8);
    unlink(other);
    is_not_created(&plan, path, "exists already", EEXIST); /* a link to nothing as well */
    assert_int_equal(access(other, F_OK), -1);
    assert_int_equal(files_in_folder(), 1);
}

static void what_cannot_be_made_leaves_nothing_behind(void **state) {
    (void)state;
    struct trace_plan plan = {.max_size = 2 * MEBIBYTE};
    char name[PATH_MAX + 2];
    is_not_created(&plan, "/nonexistent/trace", "cannot be made", ENOENT);
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    is_not_created(&plan, name, "has too long a name", ENAMETOOLONG);
    plan.max_size = PW_MIN_MAX_SIZE - 1;
    is_not_created(&plan, path, "cannot be made: the file size limit is below 2 MiB", EFBIG);
    assert_int_equal(files_in_folder(), 0);
}

/* A larger file would bring SIGXFSZ, which by default ends this program. */
static void the_limit_of_file_sizes_is_kept(void **state) {
    (void)state;
    const struct trace_plan plan = {.max_size = 64 * MEBIBYTE};
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 3 * MEBIBYTE + 123;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    create(&plan);
    assert_int_equal(status_of(path).st_size, 3 * MEBIBYTE);
    struct trace_map map = open_trace();
    assert_int_equal(((struct pw_header *)map.base)->capacity, 3 * MEBIBYTE);
    assert_true(map.size <= 3 * MEBIBYTE);
    munmap(map.base, map.size);
    unlink(path);
    limit.rlim_cur = PW_MIN_MAX_SIZE - 1;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    is_not_created(&plan, path, "cannot be made: the file size limit is below 2 MiB", EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(files_in_folder(), 0);
}

static void at_most_16_mib_are_mapped_and_never_more_than_there_is(void **state) {
    (void)state;
    static const uint64_t sizes[][2] = {{2, 2}, {3, 2}, {10, 8}, {16, 16}, {64, 16}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const struct trace_plan plan = {.max_size = sizes[i][0] * MEBIBYTE};
        create(&plan);
        struct trace_map map = open_trace();
        assert_int_equal(map.size, sizes[i][1] * MEBIBYTE);
        munmap(map.base, map.size);
        unlink(path);
    }
}

static void the_map_is_the_file(void **state) {
    (void)state;
    const struct trace_plan plan = {.max_size = 2 * MEBIBYTE};
    create(&plan);
    struct trace_map one = open_trace(), two = open_trace();
    atomic_fetch_add(&((struct pw_header *)one.base)->next_process, 5);
    assert_int_equal(((struct pw_header *)two.base)->next_process, 5);
    munmap(one.base, one.size);
    munmap(two.base, two.size);
    one = open_trace();
    assert_int_equal(((struct pw_header *)one.base)->next_process, 5);
    munmap(one.base, one.size);
}

static void no_descriptor_stays_open(void **state) {
    (void)state;
    const struct trace_plan plan = {.max_size = 2 * MEBIBYTE};
    int before = lowest_free_descriptor();
    create(&plan);
    struct trace_map map = open_trace();
    is_not_created(&plan, path, "exists already", EEXIST);
    write_other("text");
    is_not_opened(other, "is not a portwitness trace", 0);
    assert_int_equal(lowest_free_descriptor(), before);
    munmap(map.base, map.size);
}

static void no_symbolic_link_is_followed(void **state) {
    (void)state;
    const struct trace_plan plan = {.max_size = 2 * MEBIBYTE};
    create(&plan);
    assert_int_equal(symlink(path, other), 0);
    is_not_opened(other, "cannot be opened", ELOOP);
}

static void what_is_not_a_trace_is_recognized(void **state) {
    (void)state;
    is_not_opened(path, "cannot be opened", ENOENT);
    is_not_opened(folder, "cannot be opened", EISDIR);
    is_not_opened("/dev/null", "is not a regular file", 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    is_not_opened(path, "is not a regular file", 0);
    write_other("");
    is_not_opened(other, "is not a portwitness trace", 0);
    write_other("PORTWIT\n");
    is_not_opened(other, "is not a portwitness trace", 0);
}

/* Overwrites `size` bytes of a good trace's header and takes them back afterwards. */
static void is_not_opened_with(size_t offset, const void *bytes, size_t size, const char *what) {
    char good[64];
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && size <= sizeof good);
    assert_int_equal(pread(fd, good, size, (off_t)offset), size);
    assert_int_equal(pwrite(fd, bytes, size, (off_t)offset), size);
    is_not_opened(path, what, 0);
    assert_int_equal(pwrite(fd, good, size, (off_t)offset), size);
    close(fd);
    struct trace_map map = open_trace();
    munmap(map.base, map.size);
}

#define IS_NOT_OPENED_WITH(field, type, value, what)                                               \
    is_not_opened_with(offsetof(struct pw_header, field), &(type){value}, sizeof(type), what)

static void a_header_that_this_version_does_not_know_is_refused(void **state) {
    (void)state;
    const struct trace_plan plan = {.max_size = 4 * MEBIBYTE};
    create(&plan);
    IS_NOT_OPENED_WITH(magic[7], char, 'N', "is not a portwitness trace");
    IS_NOT_OPENED_WITH(byte_order, uint32_t, 0x04030201, "was written with another byte order");
    IS_NOT_OPENED_WITH(version, uint32_t, 2, "is of another version");
    IS_NOT_OPENED_WITH(version, uint32_t, 0, "is of another version");
    IS_NOT_OPENED_WITH(unit_size, uint32_t, 128, "is of another version");
    IS_NOT_OPENED_WITH(units_offset, uint32_t, 4096, "is of another version");
    IS_NOT_OPENED_WITH(features, uint64_t, 1, "is of another version");
    IS_NOT_OPENED_WITH(features, uint64_t, UINT64_C(1) << 63, "is of another version");
    IS_NOT_OPENED_WITH(capacity, uint64_t, PW_MIN_MAX_SIZE - 1, "is cut short");
    IS_NOT_OPENED_WITH(capacity, uint64_t, 4 * MEBIBYTE + 1, "is cut short");
}

static void a_trace_cut_anywhere_is_refused(void **state) {
    (void)state;
    const struct trace_plan plan = {.max_size = 2 * MEBIBYTE};
    create(&plan);
    assert_int_equal(truncate(path, 2 * MEBIBYTE - 1), 0);
    is_not_opened(path, "is cut short", 0);
    assert_int_equal(truncate(path, sizeof(struct pw_header)), 0);
    is_not_opened(path, "is cut short", 0);
    for (off_t length = sizeof(struct pw_header) - 1; length >= 0; length -= 7) {
        assert_int_equal(truncate(path, length), 0);
        is_not_opened(path, "is not a portwitness trace", 0);
    }
}

static void a_trace_of_another_boot_is_refused(void **state) {
    (void)state;
    const struct trace_plan plan = {.max_size = 2 * MEBIBYTE};
    const size_t offset = offsetof(struct pw_header, boot_id);
    uint8_t id[16];
    create(&plan);
    read_boot_id(id);
    for (int i = 0; i < 16; i += 15) {
        id[i] ^= 1;
        is_not_opened_with(offset, id, sizeof id, "is of another boot of the machine");
        id[i] ^= 1;
    }
    /* Made where /proc could not be read: the boot is not known. */
    memset(id, 0, sizeof id);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, id, sizeof id, (off_t)offset), sizeof id);
    close(fd);
    struct trace_map map = open_trace();
    munmap(map.base, map.size);
}

static void put(size_t offset, const void *bytes, size_t length) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, bytes, length, (off_t)offset), length);
    close(fd);
}

/* A program that starts asks for the boot's id, unless `run` vouches for the trace, and the clocks
 * bear that out: the variable that says so may be older than the boot. */
static void run_and_the_clocks_show_a_starting_program_the_boot(void **state) {
    (void)state;
    const struct trace_plan plan = {.max_size = 2 * MEBIBYTE};
    struct trace_problem problem = {.what = ""};
    struct trace_map map = {.size = 0};
    uint8_t id[16] = {1};
    uint64_t realtime;
    create(&plan);
    put(offsetof(struct pw_header, boot_id), id, sizeof id);
    assert_false(trace_open_at_start(path, false, &map, &problem));
    assert_string_equal(problem.what, "is of another boot of the machine");
    assert_true(trace_open_at_start(path, true, &map, &problem));
    assert_true(map.facts.same_clock);
    realtime = ((struct pw_header *)map.base)->realtime_ns + 1000000;
    munmap(map.base, map.size);
    put(offsetof(struct pw_header, realtime_ns), &realtime, sizeof realtime);
    assert_false(trace_open_at_start(path, true, &map, &problem));
    assert_string_equal(problem.what, "is of another boot of the machine");
    read_boot_id(id);
    put(offsetof(struct pw_header, boot_id), id, sizeof id);
    assert_true(trace_open_at_start(path, true, &map, &problem));
    assert_false(map.facts.same_clock);
    munmap(map.base, map.size);
    realtime -= 1000000;
    put(offsetof(struct pw_header, realtime_ns), &realtime, sizeof realtime);
    assert_true(trace_open_at_start(path, false, &map, &problem));
    assert_true(map.facts.same_clock);
    munmap(map.base, map.size);
    map = open_trace();
    assert_false(map.facts.same_clock); /* it was not asked to look */
    munmap(map.base, map.size);
}

#define TEST(name) cmocka_unit_test_teardown(name, remove_files)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_new_trace_says_what_it_is),
        TEST(nothing_is_recorded_in_a_new_trace),
        TEST(names_too_long_for_the_header_are_cut),
        TEST(a_trace_is_large_and_takes_no_room),
        TEST(its_size_is_in_whole_pages),
        TEST(only_its_owner_may_read_it_unless_asked_for),
        TEST(an_existing_file_is_left_alone),
        TEST(what_cannot_be_made_leaves_nothing_behind),
        TEST(the_limit_of_file_sizes_is_kept),
        TEST(at_most_16_mib_are_mapped_and_never_more_than_there_is),
        TEST(the_map_is_the_file),
        TEST(no_descriptor_stays_open),
        TEST(no_symbolic_link_is_followed),
        TEST(what_is_not_a_trace_is_recognized),
        TEST(a_header_that_this_version_does_not_know_is_refused),
        TEST(a_trace_cut_anywhere_is_refused),
        TEST(a_trace_of_another_boot_is_refused),
        TEST(run_and_the_clocks_show_a_starting_program_the_boot),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
