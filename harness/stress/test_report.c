/* A test that fails under one policy and not under another fails by a race for a port. */
#include "harness/stress/test_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/base/columns.h"
#include "harness/base/json_line.h"
#include "harness/base/message.h"

enum { SHOWN = 20, ROWS_SHOWN = COLUMNS_MAX - 1 };

static int more_failures(const void *one, const void *other, void *with) {
    const struct outcome_table *table = with;
    const struct test_outcomes *a = *(const struct test_outcomes *const *)one;
    const struct test_outcomes *b = *(const struct test_outcomes *const *)other;
    uint64_t of_a = test_failures(table, a);
    uint64_t of_b = test_failures(table, b);
    if (of_a != of_b)
        return of_a > of_b ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* Those that failed, to be freed. */
static const struct test_outcomes **failing(const struct outcome_table *table, size_t *count) {
    const struct test_outcomes **list = calloc(table->count + 1, sizeof *list);
    *count = 0;
    for (size_t i = 0; list != NULL && i < table->count; i++)
        if (test_failures(table, &table->tests[i]) > 0)
            list[(*count)++] = &table->tests[i];
    if (list != NULL)
        qsort_r(list, *count, sizeof *list, more_failures, (void *)(uintptr_t)table);
    return list;
}

static void add_heading(struct columns *columns, const struct stress_session *session) {
    char text[128];
    columns_add(columns, "TEST THAT FAILED");
    for (unsigned row = 0; row + 1 < columns->count; row++) {
        snprintf(text, sizeof text, "%s%s", session->rows[row].policy->text,
                 session->rows[row].isolated ? ", isolated" : "");
        columns->right[row + 1] = true;
        columns_add(columns, text);
    }
}

static void add_test(struct columns *columns, const struct test_outcomes *test) {
    char text[64];
    columns_add(columns, test->name);
    for (unsigned row = 0; row + 1 < columns->count; row++) {
        const struct outcome_counts *counts = &test->of_row[row];
        snprintf(text, sizeof text, "%" PRIu64 " of %" PRIu64, counts->failed, counts->runs);
        columns_add(columns, counts->runs > 0 ? text : "-");
    }
}

void test_report_table(const struct stress_session *session) {
    const struct outcome_table *table = &session->tests;
    size_t count;
    const struct test_outcomes **list = failing(table, &count);
    size_t rows = session->row_count < ROWS_SHOWN ? session->row_count : ROWS_SHOWN;
    struct columns columns = {.count = rows + 1};
    if (count > 0) {
        add_heading(&columns, session);
        for (size_t i = 0; i < count && i < SHOWN; i++)
            add_test(&columns, list[i]);
        columns_write(&columns, stdout);
    }
    if (count > SHOWN)
        printf("%zu more test%s failed.\n", count - SHOWN, plural(count - SHOWN));
    columns_free(&columns);
    free(list);
}

static json_t *row_json(const struct stress_row *row, const struct outcome_counts *counts) {
    json_t *object = json_object();
    json_object_set_new(object, "policy", json_string(row->policy->text));
    json_object_set_new(object, "isolated", json_boolean(row->isolated));
    json_object_set_new(object, "runs", json_number(counts->runs));
    json_object_set_new(object, "failed", json_number(counts->failed));
    json_object_set_new(object, "skipped", json_number(counts->skipped));
    return object;
}

json_t *test_report_json(const struct stress_session *session) {
    json_t *list = json_array();
    size_t count;
    const struct test_outcomes **tests = failing(&session->tests, &count);
    for (size_t i = 0; i < count; i++) {
        json_t *rows = json_array();
        json_t *object = json_object();
        for (unsigned row = 0; row < session->row_count; row++)
            json_array_append_new(rows, row_json(&session->rows[row], &tests[i]->of_row[row]));
        json_object_set_new(object, "name", json_text_or_null(tests[i]->name));
        json_object_set_new(object, "policies", rows);
        json_array_append_new(list, object);
    }
    free(tests);
    return list;
}
