/* Where the code of a running program lies in its memory. */
#ifndef PORTWITNESS_SYSTEM_PROGRAM_TEXT_H
#define PORTWITNESS_SYSTEM_PROGRAM_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct program_text {
    uint64_t begin;
    uint64_t end;    /* 0: not known */
    uint64_t offset; /* of `begin` in the file */
};

/* Reads it from /proc/PID/maps (proc(5)): the first mapping of that file that may be executed.
 * false, with `end` 0, where there is none, or it may not be read. */
bool program_text_read(pid_t pid, const char *path, struct program_text *text);

#endif
