/*
 * A return address is that of the instruction behind the call, which may be of another line or even
 * of another function: the byte before it is looked up.
 */
#include "harness/capture/call_lines.h"

/* Of all sequences of values that one call needs read; those of a large function have some KB. */
enum { BUDGET_BYTES = 4 << 20 };

struct taking {
    const struct go_root *root;
    call_line_take *take;
    void *with;
    bool is_done;
};

static bool take_line(void *with, const struct go_line *line) {
    struct taking *taking = with;
    const struct call_line found = {.of = go_owner(taking->root, line->function, line->file),
                                    .file = line->file,
                                    .function = line->function,
                                    .line = line->line};
    taking->is_done = !taking->take(taking->with, &found);
    return !taking->is_done;
}

bool call_lines_find(struct go_programs *programs, int file, uint64_t bias, const uint64_t *address,
                     size_t count, call_line_take *take, void *with) {
    struct go_program *program = go_programs_find(programs, file);
    if (program == NULL)
        return false;
    struct taking taking = {.root = &program->root, .take = take, .with = with};
    program->table.budget = BUDGET_BYTES;
    for (size_t i = 0; i < count && !taking.is_done; i++)
        if (address[i] > bias)
            go_lines_at(&program->table, address[i] - bias - (i > 0), take_line, &taking);
    return true;
}
