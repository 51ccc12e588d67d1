/* Findings that somebody does not want to hear of, by a file. */
#ifndef PORTWITNESS_CHECK_SUPPRESSIONS_H
#define PORTWITNESS_CHECK_SUPPRESSIONS_H

#include "harness/check/check.h"

struct suppression {
    unsigned line;
    char *text; /* the line as it stands */
    char *kind; /* patterns of fnmatch(3); NULL: any */
    char *cause;
    char *program;
    char *module;
    char *file; /* of the source */
    char *function;
    char *test;
    unsigned first_port; /* 0: any */
    unsigned last_port;
    uint64_t used;
};

/* Zero-initialized there are none. */
struct suppressions {
    struct suppression *list;
    size_t count;
    size_t room;
};

/* Reads a file: on each line one or more of kind:PATTERN, cause:PATTERN, program:PATTERN,
 * module:PATTERN, file:PATTERN, function:PATTERN, test:PATTERN and port:N or port:N-M, with white
 * space between, all of which must fit; '#' begins a comment, and a pattern may stand in quotes
 * ("). false, with one line on stderr that names file and line. */
bool suppressions_read(struct suppressions *suppressions, const char *path);

/* Marks the findings that one fits, and counts. The program is the name or the command of the
 * process that a finding is about, the module the file that it called from, file and function the
 * place in the source (source_place_of), the test the one that ran then, also as it stands, and
 * without pytest's phase and worker. */
void suppressions_apply(struct suppressions *suppressions, struct check *check);

/* Frees all. */
void suppressions_free(struct suppressions *suppressions);

#endif
