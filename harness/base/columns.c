/* Widths are known only when all rows are, so the cells are kept until the end. */
#include "harness/base/columns.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/base/plain_text.h"

void columns_add(struct columns *columns, const char *text) {
    size_t column = columns->used % columns->count;
    char *cell = memory_copy(text, strlen(text));

    plain_text_make(cell);
    size_t length = strlen(cell);
    columns->cells =
        memory_grow(columns->cells, &columns->room, columns->used + 1, sizeof *columns->cells);
    columns->cells[columns->used++] = cell;
    if (length > columns->width[column])
        columns->width[column] = length;
}

static size_t last_shown(const struct columns *columns) {
    size_t last = columns->count;
    while (last > 1 && columns->hidden[last - 1])
        last--;
    return last - 1;
}

void columns_write(const struct columns *columns, FILE *to) {
    size_t end = last_shown(columns);
    for (size_t i = 0; i < columns->used; i++) {
        size_t column = i % columns->count;
        bool last = column == end;
        int width = (int)columns->width[column];

        if (columns->hidden[column])
            continue;
        if (columns->right[column])
            fprintf(to, "%*s", width, columns->cells[i]);
        else
            fprintf(to, "%-*s", last ? 0 : width, columns->cells[i]);
        fputs(last ? "\n" : "  ", to);
    }
}

void columns_free(struct columns *columns) {
    for (size_t i = 0; i < columns->used; i++)
        free(columns->cells[i]);
    free(columns->cells);
    columns->cells = NULL;
    columns->used = columns->room = 0;
}
