/* What happened is put in the order of time, however far from it the records stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "harness/base/splitmix.h"
#include "harness/trace/events.h"

enum { EVENTS = 3000 };

static struct processes nobody;

static void note(struct events *events, uint64_t unit, uint64_t ns) {
    const struct trace_record record = {.unit = unit,
                                        .committed = true,
                                        .kind = PW_KIND_CLOSE,
                                        .descriptor = 3,
                                        .process = 1,
                                        .begin_ns = ns,
                                        .end_ns = ns};
    events_note(events, &record, MAP_NONE);
}

static void assert_sorted(struct events *events) {
    uint64_t units = 0;
    events_sort(events, &nobody);
    assert_int_equal(events->count, EVENTS);
    for (size_t i = 0; i < events->count; i++) {
        const struct event *event = &events->list[i];
        units += event->unit;
        if (i > 0)
            assert_true(event[-1].ns < event->ns ||
                        (event[-1].ns == event->ns && event[-1].unit < event->unit));
    }
    assert_int_equal(units, EVENTS * (EVENTS - 1) / 2);
    events_free(events);
}

static void records_that_end_shortly_after_later_ones_go_behind_them(void **state) {
    struct events events = {0};
    uint64_t random = 1;
    (void)state;
    for (uint64_t i = 0; i < EVENTS; i++)
        note(&events, i, 100 * i + splitmix(&random) % 800);
    assert_sorted(&events);
}

static void one_that_ended_long_before_goes_to_the_front(void **state) {
    struct events events = {0};
    (void)state;
    for (uint64_t i = 0; i < EVENTS; i++)
        note(&events, i, i + 1 < EVENTS ? i + 10 : 1);
    assert_sorted(&events);
}

static void any_order_is_put_right(void **state) {
    struct events events = {0};
    uint64_t random = 1;
    (void)state;
    for (uint64_t i = 0; i < EVENTS; i++)
        note(&events, i, EVENTS - i);
    assert_sorted(&events);
    for (uint64_t i = 0; i < EVENTS; i++)
        note(&events, i, splitmix(&random) % 500);
    assert_sorted(&events);
}

static void none_at_all_are_in_order(void **state) {
    struct events events = {0};
    (void)state;
    events_sort(&events, &nobody);
    assert_int_equal(events.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_that_end_shortly_after_later_ones_go_behind_them),
        cmocka_unit_test(one_that_ended_long_before_goes_to_the_front),
        cmocka_unit_test(any_order_is_put_right),
        cmocka_unit_test(none_at_all_are_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
