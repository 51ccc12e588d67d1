/* What a thread has copied ahead is what stands in the file, wherever one goes on reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/trace/read_ahead.h"

enum { WINDOWS = 72, UNITS = WINDOWS * WINDOW_UNITS, OFFSET = 4096 };

static int file;
static struct trace_window *window;
static struct read_ahead *ahead;

/* Each unit has its number as its head, and again at its end. */
static void fill(void) {
    static union pw_unit units[WINDOW_UNITS];
    for (uint32_t first = 0; first < UNITS; first += WINDOW_UNITS) {
        for (uint32_t i = 0; i < WINDOW_UNITS; i++) {
            units[i].start.head = first + i;
            units[i].start.flags = first + i;
        }
        assert_int_equal(
            pwrite(file, units, sizeof units, OFFSET + (off_t)first * (off_t)PW_UNIT_SIZE),
            sizeof units);
    }
}

static int begin(void **state) {
    char path[] = "/tmp/read-ahead-XXXXXX";
    (void)state;
    file = mkstemp(path);
    assert_true(file >= 0);
    unlink(path);
    fill();
    window = window_make();
    assert_non_null(window);
    ahead = read_ahead_start(file, OFFSET, 0, UNITS);
    return 0;
}

static int end(void **state) {
    (void)state;
    read_ahead_stop(ahead);
    window_free(window);
    return close(file);
}

/* One processor has none ahead. */
static void need_ahead(void) {
    if (ahead == NULL)
        skip();
}

static void assert_holds(uint64_t from, uint64_t count) {
    assert_true(window->from <= from && from + count <= window->to);
    for (uint64_t unit = window->from; unit < window->to; unit++) {
        assert_int_equal(window->heads[unit - window->from], unit);
        assert_int_equal(window->units[unit - window->from].start.flags, unit);
    }
}

static void one_window_after_the_other_has_what_is_in_the_file(void **state) {
    (void)state;
    need_ahead();
    /* A record of up to the most units may lie across each window's end. */
    for (unsigned back = 0; window->to < UNITS; back = (back + 7) % PW_RECORD_UNITS_MAX) {
        uint64_t from = window->to > back ? window->to - back : 0;
        uint64_t count = from + PW_RECORD_UNITS_MAX < UNITS ? PW_RECORD_UNITS_MAX : UNITS - from;
        assert_true(read_ahead_take(ahead, &window, from, count));
        assert_holds(from, count);
    }
    assert_false(read_ahead_take(ahead, &window, UNITS - 1, 1));
    assert_holds(UNITS - 1, 1);
}

static void who_skips_some_goes_on_where_he_is(void **state) {
    (void)state;
    need_ahead();
    for (uint64_t from = 5000; from < UNITS; from *= 4) {
        assert_true(read_ahead_take(ahead, &window, from, 1));
        assert_holds(from, 1);
    }
}

static void what_lies_before_is_not_ahead(void **state) {
    (void)state;
    need_ahead();
    assert_true(read_ahead_take(ahead, &window, 3 * WINDOW_UNITS, 1));
    assert_false(read_ahead_take(ahead, &window, 0, 1));
    assert_holds(3 * WINDOW_UNITS, 1);
}

static void of_a_file_that_became_shorter_comes_what_is_left(void **state) {
    (void)state;
    need_ahead();
    assert_true(read_ahead_take(ahead, &window, 0, 1));
    assert_int_equal(ftruncate(file, OFFSET + (off_t)(40 * WINDOW_UNITS + 3) * PW_UNIT_SIZE), 0);
    uint64_t from = WINDOW_UNITS;
    for (; read_ahead_take(ahead, &window, from, 1); from = window->to)
        assert_holds(from, 1);
    assert_int_equal(from, 40 * WINDOW_UNITS + 3);
    assert_false(read_ahead_take(ahead, &window, from + 50, 1));
}

static void it_may_be_stopped_at_any_time(void **state) {
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        struct read_ahead *other = read_ahead_start(file, OFFSET, 0, UNITS);
        if (other != NULL && i % 2 != 0)
            read_ahead_take(other, &window, i * WINDOW_UNITS, 1);
        read_ahead_stop(other);
    }
}

static void few_units_are_not_read_ahead(void **state) {
    (void)state;
    assert_null(read_ahead_start(file, OFFSET, UNITS - 10 * WINDOW_UNITS, UNITS));
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(one_window_after_the_other_has_what_is_in_the_file),
        TEST(who_skips_some_goes_on_where_he_is),
        TEST(what_lies_before_is_not_ahead),
        TEST(of_a_file_that_became_shorter_comes_what_is_left),
        TEST(it_may_be_stopped_at_any_time),
        TEST(few_units_are_not_read_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
