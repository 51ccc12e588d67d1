/* Where an input is wrong, and why: one line for its user. */
#ifndef PORTWITNESS_KIND_INPUT_PROBLEM_H
#define PORTWITNESS_KIND_INPUT_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

struct input_problem {
    size_t line; /* both from 1 */
    size_t column;
    char what[256]; /* one line; bytes that would disturb a terminal are '?' */
};

/* Fills *problem. Always false, so that a reader can return it. */
bool input_problem_set(struct input_problem *problem, size_t line, size_t column,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
