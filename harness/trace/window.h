/* A part of a trace's units, copied out of the file. */
#ifndef PORTWITNESS_TRACE_WINDOW_H
#define PORTWITNESS_TRACE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "shim/shared/trace_format.h"

enum { WINDOW_UNITS = 4096 };

/* Units [from, to): none where these are equal. */
struct trace_window {
    uint64_t from;
    uint64_t to;
    union pw_unit *units;
    uint32_t heads[WINDOW_UNITS]; /* as they were before the units were copied */
};

/* A window that holds nothing; NULL without memory. */
struct trace_window *window_make(void);

/* Makes it hold `count` units from `from` on, or as many of these as the file has. `offset` is that
 * of the first unit in the file. */
void window_read(struct trace_window *window, int file, off_t offset, uint64_t from,
                 uint64_t count);

/* Frees it; NULL does nothing. */
void window_free(struct trace_window *window);

#endif
