/* One finding as text, in the form of a sanitizer's reports: its first and last line, and all that
 * is known of it between them. */
#ifndef PORTWITNESS_REPORT_FINDING_TEXT_H
#define PORTWITNESS_REPORT_FINDING_TEXT_H

#include <stdio.h>

#include "harness/base/colour.h"
#include "harness/check/check.h"
#include "harness/check/source_line.h"

struct finding_writer {
    const struct check *check;
    struct source_lines *lines;
    bool colour;
    FILE *to;
};

/* Writes a line as message_write does, behind a heading in that colour where colours are wanted. */
void finding_heading_write(const struct finding_writer *writing, enum colour colour,
                           const char *heading, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* "ERROR: portwitness: lost-race: ..." */
void finding_text_head(const struct finding_writer *writing, const struct finding *finding);

/* What stands between head and summary with --verbose. */
void finding_text_full(const struct finding_writer *writing, const struct finding *finding);

/* "SUMMARY: portwitness: lost-race tcp 127.0.0.1:80 in main server.c:42 (server)" */
void finding_text_summary(const struct finding_writer *writing, const struct finding *finding);

/* The range of an exhausted one; of others nothing. */
void write_range(const struct finding_writer *writing, const struct finding *finding);

#endif
