/* Cluster files written in the test itself. */
#ifndef PORTWITNESS_UNIT_KIND_CLUSTER_H
#define PORTWITNESS_UNIT_KIND_CLUSTER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/kind/cluster_file.h"
#include "harness/kind/release_verdict.h"

#define HEAD "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"
#define NODE "nodes:\n- extraPortMappings:\n"

/* Reads a text that must be good. */
static inline struct plan_input cluster(const char *text) {
    struct plan_input input = {0};
    struct input_problem problem;

    if (!cluster_file_read(text, strlen(text), &input, &problem))
        fail_msg("%zu:%zu: %s in\n%s", problem.line, problem.column, problem.what, text);
    return input;
}

/* Reads a text that must be bad, there and for that reason. */
static inline void assert_bad(const char *text, size_t line, size_t column, const char *what) {
    struct plan_input input = {0};
    struct input_problem problem = {0};

    if (cluster_file_read(text, strlen(text), &input, &problem))
        fail_msg("taken: %.200s", text);
    plan_input_free(&input);
    if (problem.line != line || problem.column != column || strstr(problem.what, what) == NULL)
        fail_msg("%zu:%zu: %s, instead of %zu:%zu: %s, in\n%.200s", problem.line, problem.column,
                 problem.what, line, column, what, text);
}

static inline struct kind_release release(const char *text) {
    struct kind_release release;

    assert_true(kind_release_read(text, &release));
    return release;
}

/* What the release must say; NULL for nothing. */
static inline void assert_verdict(const char *text, const char *version, const char *expected) {
    struct plan_input input = cluster(text);
    struct kind_release of = release(version);
    char *verdict = kind_verdict(&input, &of);
    const char *found = verdict != NULL ? verdict : "nothing";

    if (expected == NULL)
        expected = "nothing";
    if (strcmp(found, expected) != 0)
        fail_msg("%s says\n%s\ninstead of\n%s\nto\n%s", version, found, expected, text);
    free(verdict);
    plan_input_free(&input);
}

#endif
