/* Who many programs are, in a few words: the first different names, and how many have others. */
#ifndef PORTWITNESS_BASE_FIRST_NAMES_H
#define PORTWITNESS_BASE_FIRST_NAMES_H

#include <stddef.h>
#include <stdint.h>

enum { FIRST_NAMES = 3, FIRST_NAME_BYTES = 64, FIRST_NAMES_BYTES = 256 };

/* Zero-initialized there are none. */
struct first_names {
    char name[FIRST_NAMES][FIRST_NAME_BYTES];
    size_t count;
    uint64_t more; /* programs with other names */
};

/* A program; `name` may be a path, of which the last part counts. */
void first_names_add(struct first_names *names, const char *name);

/* Those of `from` as well. */
void first_names_join(struct first_names *names, const struct first_names *from);

/* "caddy, etcd, ports and 4 more"; returns `text`. */
const char *first_names_text(const struct first_names *names, char text[FIRST_NAMES_BYTES]);

#endif
