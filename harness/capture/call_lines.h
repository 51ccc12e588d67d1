/* Where a call came from in the program's own words, by nothing but the addresses on its stack. So
 * far programs in Go know their lines themselves. */
#ifndef PORTWITNESS_CAPTURE_CALL_LINES_H
#define PORTWITNESS_CAPTURE_CALL_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/capture/go_programs.h"

struct call_line {
    enum pw_frame_of of;
    const char *file;     /* "" where not known */
    const char *function; /* as users write it: main.serve, example.com/app/pkg.(*T).Method */
    uint32_t line;        /* 0: not known */
};

/* Takes a frame, the innermost first; texts are good during the call. false: no more are wanted. */
typedef bool call_line_take(void *with, const struct call_line *line);

/* The frames of a call. `file` is open for reading on the program that the process runs
 * (/proc/PID/exe), and `bias` is what was added to the program's addresses as linked when it was
 * loaded (0 where it is not position independent). address[0] is the program counter, the others
 * are return addresses, from the innermost out. Addresses that the program does not know, as those
 * of C code, are passed over. false where the program has no lines: nothing was told. */
bool call_lines_find(struct go_programs *programs, int file, uint64_t bias, const uint64_t *address,
                     size_t count, call_line_take *take, void *with);

#endif
