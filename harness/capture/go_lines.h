/* Function, file and line of an address in a Go program. */
#ifndef PORTWITNESS_CAPTURE_GO_LINES_H
#define PORTWITNESS_CAPTURE_GO_LINES_H

#include "harness/capture/go_table.h"

enum { GO_NAME_BYTES = 1024, GO_FILE_BYTES = 1024 };

struct go_line {
    char function[GO_NAME_BYTES]; /* as the program's own traces print it; "" where not known */
    char file[GO_FILE_BYTES];     /* "" where not known; cut at its end if longer */
    uint32_t line;                /* 0: not known */
};

/* Takes a frame; false: no more are wanted. */
typedef bool go_line_take(void *with, const struct go_line *line);

/* The frames at an address as linked, the innermost first: more than one where calls were inlined.
 * As Go's runtime.CallersFrames does, wrappers that the compiler made are left out. Inlined calls
 * are told from Go 1.16 on: in older programs their lines are those of the inlined function, under
 * the name of the one that it was inlined into. false where the table knows no such address, or
 * `take` wanted no more. Nothing is told beyond table->budget, which the caller sets. */
bool go_lines_at(struct go_table *table, uint64_t address, go_line_take *take, void *with);

/* How far the stack pointer is from the function's return address (on aarch64: from its caller's
 * frame) when the program counter is at an address as linked; `is_outermost` where nothing called
 * the function. false where the table does not say it. */
bool go_lines_frame_bytes(struct go_table *table, uint64_t address, uint64_t *bytes,
                          bool *is_outermost);

/* The frame, not inlined, of the beginning of the function of that number (0 to table->count - 1).
 */
bool go_lines_of_function(struct go_table *table, uint64_t number, struct go_line *line);

#endif
