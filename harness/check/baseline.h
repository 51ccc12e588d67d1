/* The findings that a team knows of, in a file that the program writes, so that only new ones fail.
 */
#ifndef PORTWITNESS_CHECK_BASELINE_H
#define PORTWITNESS_CHECK_BASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What of a finding is the same in each run. NULL: nothing is known. */
struct baseline_entry {
    const char *finding; /* its kind */
    const char *cause;
    const char *program;
    const char *command;
    const char *module;
    const char *place; /* in the module */
    const char *test;
    const char *protocol;
    unsigned port; /* 0: it differs from run to run */
};

struct baseline_line {
    char *text; /* the entry as it stands in the file, without a newline */
    bool seen;
    bool was_there; /* in the file that was read */
};

/* Zero-initialized there are none. Sorted by text. */
struct baseline {
    struct baseline_line *list;
    size_t count;
    size_t room;
};

/* Reads a file that baseline_text made. false, with one line on stderr that names file, line and
 * field. */
bool baseline_read(struct baseline *baseline, const char *path);

/* Does the entry stand there? Then it has been seen. */
bool baseline_has(struct baseline *baseline, const struct baseline_entry *entry);

/* Adds the entry, as seen, unless it stands there. */
void baseline_add(struct baseline *baseline, const struct baseline_entry *entry);

/* How many entries were not seen. */
size_t baseline_unseen(const struct baseline *baseline);

/* How many entries were not in the file that was read. */
size_t baseline_added(const struct baseline *baseline);

/* The file's text: a line with the version, then the entries, sorted; those that were not seen only
 * with keep_unseen. To be freed. */
char *baseline_text(const struct baseline *baseline, bool keep_unseen, size_t *length);

/* Frees all. */
void baseline_free(struct baseline *baseline);

#endif
