/* Function, file and line of a call, as the program's debug information has them. */
#ifndef PORTWITNESS_CHECK_SOURCE_LINE_H
#define PORTWITNESS_CHECK_SOURCE_LINE_H

#include <stdbool.h>

#include "harness/trace/modules.h"

/* What is known of a place in a program. Texts are good until the next call and may be NULL. */
struct source_line {
    const char *function;
    uint64_t beyond;  /* bytes from the function's start, where only a symbol is known */
    const char *file; /* NULL: no debug information */
    int line;
    bool changed; /* the file on disk is another than the one that ran */
};

struct source_lines;

/* A new one, with no file open; to be freed by source_lines_free. */
struct source_lines *source_lines_make(void);

/* Looks a return address up: the call stands right before it. Reads separate debug files where the
 * module names them (by build id or .gnu_debuglink). All is NULL where nothing is known. */
struct source_line source_lines_find(struct source_lines *lines, const struct site *site);

/* Closes all files. NULL does nothing. */
void source_lines_free(struct source_lines *lines);

#endif
