/* Each window is copied twice. A record whose state was "committed" in the first copy is whole in
 * the second, whatever the order in which the kernel copied either of them. */
#include "harness/trace/window.h"

#include <stdlib.h>

#include "harness/trace/header.h"

struct trace_window *window_make(void) {
    struct trace_window *window = calloc(1, sizeof *window);

    if (window == NULL)
        return NULL;
    window->units = aligned_alloc(PW_UNIT_SIZE, WINDOW_UNITS * sizeof *window->units);
    if (window->units != NULL)
        return window;
    free(window);
    return NULL;
}

void window_read(struct trace_window *window, int file, off_t offset, uint64_t from,
                 uint64_t count) {
    size_t size = count * PW_UNIT_SIZE;

    offset += (off_t)(from * PW_UNIT_SIZE);
    header_read_at(file, window->units, size, offset);
    for (uint64_t i = 0; i < count; i++)
        window->heads[i] = atomic_load_explicit(&window->units[i].start.head, memory_order_acquire);
    window->from = from;
    window->to = from + header_read_at(file, window->units, size, offset) / PW_UNIT_SIZE;
}

void window_free(struct trace_window *window) {
    if (window == NULL)
        return;
    free(window->units);
    free(window);
}
