/* What a trace does not show. */
#ifndef PORTWITNESS_REPORT_EVIDENCE_H
#define PORTWITNESS_REPORT_EVIDENCE_H

#include <stdio.h>

#include "harness/trace/reader.h"

/* Blind spots by kind. Zero-initialized there are none. */
struct evidence {
    uint64_t count[256];
    char program[256][64]; /* the first one's name */
};

/* Takes a record; only blind spots count. */
void evidence_note(struct evidence *evidence, const struct trace_record *record);

/* Writes one line that says what is missing, begun with the file's name; nothing if the evidence is
 * complete. */
void evidence_write(const struct evidence *evidence, const struct trace_reader *reader,
                    const char *path, FILE *to);

#endif
