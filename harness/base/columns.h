/* A table with aligned columns for people to read. */
#ifndef PORTWITNESS_BASE_COLUMNS_H
#define PORTWITNESS_BASE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define COLUMNS_MAX 12

/* Zero-initialized but for `count` (columns), `right` (those aligned to the right) and `hidden`
 * (those that are not written). */
struct columns {
    size_t count;
    bool right[COLUMNS_MAX];
    bool hidden[COLUMNS_MAX];
    size_t width[COLUMNS_MAX];
    size_t used;   /* cells */
    char *text;    /* theirs, row after row, each with its NUL */
    size_t length; /* bytes of it */
    size_t room;
};

/* Adds the next cell of the row; the first row is the heading. Bytes that would disturb a terminal
 * are shown as '?'. */
void columns_add(struct columns *columns, const char *text);

/* Writes all rows. */
void columns_write(const struct columns *columns, FILE *to);

/* Frees all rows. */
void columns_free(struct columns *columns);

#endif
