/* A count alone sends its reader to look for whom it is of; all names would fill the screen. */
#include "harness/base/first_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/path_last.h"

void first_names_add(struct first_names *names, const char *name) {
    const char *last = path_last_or_all(name);
    for (size_t i = 0; i < names->count; i++)
        if (strncmp(names->name[i], last, FIRST_NAME_BYTES - 1) == 0)
            return;
    if (names->count == FIRST_NAMES)
        names->more++;
    else
        snprintf(names->name[names->count++], FIRST_NAME_BYTES, "%s", last);
}

void first_names_join(struct first_names *names, const struct first_names *from) {
    for (size_t i = 0; i < from->count; i++)
        first_names_add(names, from->name[i]);
    names->more += from->more;
}

const char *first_names_text(const struct first_names *names, char text[FIRST_NAMES_BYTES]) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < names->count; i++)
        used += (size_t)snprintf(text + used, FIRST_NAMES_BYTES - used, "%s%s", i > 0 ? ", " : "",
                                 names->name[i]);
    if (names->more > 0)
        snprintf(text + used, FIRST_NAMES_BYTES - used, " and %" PRIu64 " more", names->more);
    return text;
}
