/* The stack of a Go program's thread where its frame pointer is not known. */
#ifndef PORTWITNESS_CAPTURE_GO_WALK_H
#define PORTWITNESS_CAPTURE_GO_WALK_H

#include "harness/capture/go_programs.h"
#include "harness/capture/remote_walk.h"

/* As remote_walk, but by what Go's own table says of the size of each frame: program counter and
 * stack pointer are enough (on aarch64 the link register as well, in a function without a frame).
 * `file` and `bias` as for call_lines_find. Ends with the outermost function, and where C begins;
 * of what is not a Go program, or stands in C, it is remote_walk. */
size_t go_walk(struct go_programs *programs, int file, uint64_t bias, pid_t pid,
               const struct remote_registers *registers, uint64_t *address, size_t room);

#endif
