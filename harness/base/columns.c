/* Widths are known only when all rows are, so the cells are kept until the end: one behind the
 * other, since a list of a million requests has ten million. */
#include "harness/base/columns.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/base/plain_text.h"

void columns_add(struct columns *columns, const char *text) {
    size_t column = columns->used++ % columns->count;
    size_t size = strlen(text) + 1;

    columns->text = memory_grow(columns->text, &columns->room, columns->length + size, 1);
    char *cell = columns->text + columns->length;
    memcpy(cell, text, size);
    plain_text_make(cell);
    size_t length = strlen(cell);
    columns->length += length + 1;
    if (length > columns->width[column])
        columns->width[column] = length;
}

static size_t last_shown(const struct columns *columns) {
    size_t last = columns->count;
    while (last > 1 && columns->hidden[last - 1])
        last--;
    return last - 1;
}

/* Widths count bytes. */
static void write_cell(const char *cell, size_t length, size_t width, bool right, FILE *to) {
    size_t filling = width > length ? width - length : 0;

    for (size_t i = 0; right && i < filling; i++)
        putc_unlocked(' ', to);
    fwrite_unlocked(cell, 1, length, to);
    for (size_t i = 0; !right && i < filling; i++)
        putc_unlocked(' ', to);
}

void columns_write(const struct columns *columns, FILE *to) {
    size_t end = last_shown(columns);
    const char *cell = columns->text;

    for (size_t i = 0; i < columns->used; i++) {
        size_t column = i % columns->count;
        size_t length = strlen(cell);
        bool last = column == end;
        bool right = columns->right[column];

        if (!columns->hidden[column]) {
            write_cell(cell, length, last && !right ? 0 : columns->width[column], right, to);
            fputs_unlocked(last ? "\n" : "  ", to);
        }
        cell += length + 1;
    }
}

void columns_free(struct columns *columns) {
    free(columns->text);
    columns->text = NULL;
    columns->used = columns->length = columns->room = 0;
}
