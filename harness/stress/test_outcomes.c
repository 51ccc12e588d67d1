/* A copy that fails says little where it runs a hundred tests: which of them failed is what is
 * looked for. */
#include "harness/stress/test_outcomes.h"

#include <stdlib.h>

#include "harness/base/memory.h"
#include "harness/base/test_name.h"
#include "harness/trace/reader.h"
#include "shim/shared/trace_format.h"

/* FNV-1a. */
static uint64_t hash_of(const char *text, size_t length) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static struct test_outcomes *find(struct outcome_table *table, const char *name, size_t length) {
    uint64_t hash = hash_of(name, length);
    uint32_t index = map_get(&table->by_name, hash);
    if (index != MAP_NONE)
        return &table->tests[index];
    map_put(&table->by_name, hash, (uint32_t)table->count);
    table->tests = memory_grow(table->tests, &table->room, table->count + 1, sizeof *table->tests);
    struct test_outcomes *test = &table->tests[table->count++];
    test->name = memory_copy(name, length);
    test->of_row = memory_zeroed(table->row_room, sizeof *test->of_row);
    return test;
}

static void add(struct outcome_table *table, size_t row, const struct trace_record *record) {
    unsigned outcome = PW_OUTCOME_OF_FLAGS(record->flags);
    size_t length = record->text != NULL ? test_name_length(record->text) : 0;
    if (!record->committed || record->kind != PW_KIND_MARKER || outcome == 0 || length == 0)
        return;
    struct outcome_counts *counts = &find(table, record->text, length)->of_row[row];
    counts->runs++;
    counts->failed += outcome == PW_OUTCOME_FAILED;
    counts->skipped += outcome == PW_OUTCOME_SKIPPED;
}

void outcome_table_add(struct outcome_table *table, size_t row, const char *trace) {
    struct trace_reader_problem problem;
    struct trace_record record;
    struct trace_reader *reader = trace_reader_open(trace, &problem);
    while (reader != NULL && trace_reader_next(reader, &record) == TRACE_NEXT_RECORD)
        add(table, row, &record);
    trace_reader_close(reader);
}

uint64_t test_failures(const struct outcome_table *table, const struct test_outcomes *test) {
    uint64_t failed = 0;
    for (size_t row = 0; row < table->row_room; row++)
        failed += test->of_row[row].failed;
    return failed;
}

void outcome_table_free(struct outcome_table *table) {
    for (size_t i = 0; i < table->count; i++) {
        free(table->tests[i].name);
        free(table->tests[i].of_row);
    }
    free(table->tests);
    map_free(&table->by_name);
    table->tests = NULL;
    table->count = table->room = 0;
}
