/* A trace is its owner's, unless a command that changes users is to record in it too. */
#include "harness/cli/sharing.h"

#include <grp.h>
#include <stddef.h>
#include <stdlib.h>

const char *sharing_read(const char *text, unsigned *mode, gid_t *group) {
    *group = (gid_t)-1;
    *mode = 0666;
    if (text == NULL)
        return NULL;
    if (*text >= '0' && *text <= '9') {
        char *end;
        unsigned long number = strtoul(text, &end, 8);
        if (*end != '\0')
            return "not an octal mode";
        if ((number & ~0666UL) != 0 || (number & 0600) != 0600)
            return "must let the owner read and write, and nobody execute";
        *mode = (unsigned)number;
        return NULL;
    }
    const struct group *entry = getgrnam(text);
    if (entry == NULL)
        return "neither a group nor an octal mode";
    *group = entry->gr_gid;
    *mode = 0660;
    return NULL;
}
