/* How often each test ran under each policy, and how it ended, as far as markers say so. */
#ifndef PORTWITNESS_STRESS_TEST_OUTCOMES_H
#define PORTWITNESS_STRESS_TEST_OUTCOMES_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/map.h"

struct outcome_counts {
    uint64_t runs;
    uint64_t failed;
    uint64_t skipped;
};

struct test_outcomes {
    char *name;                    /* without the worker that ran it */
    struct outcome_counts *of_row; /* row_room of them */
};

/* Zero-initialized but for `row_room`, how many rows (policies) there can be. */
struct outcome_table {
    size_t row_room;
    struct test_outcomes *tests; /* in the order in which they were first seen to end */
    size_t count, room;
    struct map by_name; /* index of a test, by a hash of its name */
};

/* Adds what the trace of a round says, to be counted under a row. */
void outcome_table_add(struct outcome_table *table, size_t row, const char *trace);

/* How often it failed, under all policies. */
uint64_t test_failures(const struct outcome_table *table, const struct test_outcomes *test);

/* Frees what the table holds. */
void outcome_table_free(struct outcome_table *table);

#endif
