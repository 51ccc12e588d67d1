/* Appending to a trace by many threads at once, through growing views, to the last unit. */
#include "shim/shared/recorder.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "shim/shared/trace_file.h"

enum { THREADS = 8, ROUNDS = 3000 };

static char folder[] = "/tmp/recorder-test-XXXXXX";
static char path[64];

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

/* A new trace, of which only `view` bytes are mapped at first. */
static void attach(uint64_t size, size_t view) {
    struct trace_plan plan = {.max_size = size};
    struct trace_problem problem = {.what = ""};
    struct trace_map map = {.size = 0};
    unlink(path);
    if (!trace_create(path, &plan, &problem) || !trace_open(path, &map, &problem))
        fail_msg("%s (%d)", problem.what, problem.error);
    assert_true(map.size >= view);
    /* Valgrind's mremap cannot duplicate a mapping: there the first view has to do. */
    void *copy = mremap(map.base, 0, view, MREMAP_MAYMOVE);
    if (copy != MAP_FAILED)
        map.size = view;
    recorder_attach(&map);
    if (copy != MAP_FAILED)
        munmap(copy, view);
}

static void *append(void *number) {
    uint64_t self = (uint64_t)(uintptr_t)number;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        struct record record;
        if (!record_begin(&record, PW_KIND_SOCKET, 2 + i % 3, self, (int)i, i + 1))
            break;
        record.units[0].start.cookie = self * ROUNDS + i;
        record_commit(&record, i + 2);
    }
    return NULL;
}

static void run_threads(void) {
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, append, (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* Reads the file itself, not a view. Checks each record and that each thread's are in order. */
static long count_records(uint64_t *units_used) {
    FILE *file = fopen(path, "rb");
    union pw_unit unit;
    uint64_t next[THREADS + 1] = {0};
    long records = 0;
    assert_non_null(file);
    assert_int_equal(fseek(file, PW_UNITS_OFFSET, SEEK_SET), 0);
    *units_used = 0;
    while (fread(&unit, sizeof unit, 1, file) == 1 &&
           PW_HEAD_TAG(unit.start.head) == PW_TAG_START) {
        uint32_t head = unit.start.head;
        uint64_t thread = unit.start.process;
        assert_int_equal(PW_HEAD_STATE(head), PW_STATE_COMMITTED);
        assert_in_range(thread, 1, THREADS);
        assert_true((uint64_t)unit.start.descriptor >= next[thread]);
        assert_int_equal(unit.start.cookie, thread * ROUNDS + (uint64_t)unit.start.descriptor);
        assert_int_equal(unit.start.end_ns, unit.start.begin_ns + 1);
        next[thread] = (uint64_t)unit.start.descriptor + 1;
        for (unsigned i = 1; i < PW_HEAD_COUNT(head); i++) {
            assert_int_equal(fread(&unit, sizeof unit, 1, file), 1);
            assert_int_equal(unit.text.head, PW_HEAD(PW_TAG_CONTINUATION, i, PW_KIND_SOCKET, 0));
        }
        *units_used += PW_HEAD_COUNT(head);
        records++;
    }
    fclose(file);
    return records;
}

static void threads_append_through_growing_views(void **state) {
    (void)state;
    uint64_t used;
    attach(64 << 20, PW_MIN_MAX_SIZE);
    run_threads();
    assert_int_equal(count_records(&used), THREADS * ROUNDS);
    assert_int_equal(used, recorder_header()->next_unit);
    assert_true(PW_UNITS_OFFSET + used * PW_UNIT_SIZE > PW_MIN_MAX_SIZE);
    for (int i = 0; i < PW_LOST_CAUSES; i++)
        assert_int_equal(recorder_header()->lost[i], 0);
}

static void a_full_trace_counts_what_it_could_not_take(void **state) {
    (void)state;
    uint64_t used;
    attach(PW_MIN_MAX_SIZE, PW_MIN_MAX_SIZE);
    struct record record;
    long taken = 0, refused = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        if (!record_begin(&record, PW_KIND_SOCKET, 2, 1, (int)taken, i + 1)) {
            refused++;
            continue;
        }
        record.units[0].start.cookie = ROUNDS + (uint64_t)taken++;
        record_commit(&record, i + 2);
    }
    assert_int_equal(recorder_header()->stopped, PW_STOP_MAX_SIZE);
    assert_int_equal(taken, (PW_MIN_MAX_SIZE - PW_UNITS_OFFSET) / PW_UNIT_SIZE / 2);
    assert_int_equal(recorder_header()->lost[PW_LOST_MAX_SIZE], refused);
    assert_int_equal(count_records(&used), taken);
}

/* What the file takes of the disk, in pages. */
static unsigned pages_taken(void) {
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return (unsigned)(status.st_blocks * 512 / sysconf(_SC_PAGESIZE));
}

static void a_process_makes_little_room_first_and_more_as_it_goes_on(void **state) {
    (void)state;
    attach(UINT64_C(8) << 20, 4u << 20);
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    const uint64_t from = UINT64_C(2) << 20; /* nobody has been there */
    struct pw_header *header = recorder_header();
    struct record record;
    header->next_unit = (from - PW_UNITS_OFFSET) / PW_UNIT_SIZE;
    const unsigned before = pages_taken();
    unsigned made = 0;
    for (unsigned i = 0, step = 1; i < 8; i++, step = step < 16 ? 2 * step : 16) {
        if (step * page > 64 * 1024)
            step = (unsigned)(64 * 1024 / page);
        assert_true(record_begin(&record, PW_KIND_CLOSE, 1, 1, 3, 1));
        made += step;
        assert_int_equal(pages_taken() - before, made);
        while ((uint64_t)header->next_unit * PW_UNIT_SIZE + PW_UNITS_OFFSET < from + made * page)
            assert_true(record_begin(&record, PW_KIND_CLOSE, 1, 1, 3, 1));
        assert_int_equal(pages_taken() - before, made);
    }
}

static void text_fills_units_and_says_when_it_is_cut(void **state) {
    (void)state;
    struct record record;
    char text[200];
    attach(PW_MIN_MAX_SIZE, PW_MIN_MAX_SIZE);
    memset(text, 'x', sizeof text);
    assert_int_equal(record_text_units(0, 4), 0);
    assert_int_equal(record_text_units(60, 4), 1);
    assert_int_equal(record_text_units(61, 4), 2);
    assert_int_equal(record_text_units(1000, 4), 4);
    assert_true(record_begin(&record, PW_KIND_MARKER, 3, 1, -1, 1));
    assert_true(record_text(&record, 1, text, 120));
    assert_false(record_text(&record, 1, text, 121));
    assert_memory_equal(record.units[2].text.bytes, text, PW_TEXT_BYTES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_append_through_growing_views),
        cmocka_unit_test(a_full_trace_counts_what_it_could_not_take),
        cmocka_unit_test(a_process_makes_little_room_first_and_more_as_it_goes_on),
        cmocka_unit_test(text_fills_units_and_says_when_it_is_cut),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
