/* One read instead of five calls. The file counts pids as the mount of /proc does; NSpid has one
 * number alone where that is the reader's own pid namespace (proc(5)). */
#include "shim/shared/own_status.h"

#include <stddef.h>
#include <string.h>

static const char *line_behind(const char *text, const char *name) {
    const char *at = strstr(text, name);
    return at != NULL ? at + strlen(name) : NULL;
}

/* The number that stands there as the only one of its line, or as number `index` of four. */
static bool read_number(const char *at, unsigned index, unsigned count, uint32_t *number) {
    for (unsigned i = 0; at != NULL && i < count; i++) {
        if (*at != '\t' || at[1] < '0' || at[1] > '9')
            return false;
        uint64_t value = 0;
        for (at++; *at >= '0' && *at <= '9' && value <= UINT32_MAX; at++)
            value = value * 10 + (uint64_t)(*at - '0');
        if (i == index)
            *number = (uint32_t)value;
    }
    return at != NULL && *at == '\n';
}

/* Blanks and the like are escaped in it. */
static void read_name(const char *text, char name[16]) {
    if (strncmp(text, "Name:\t", 6) != 0)
        return;
    text += 6;
    size_t length = strcspn(text, "\n");
    if (length < 16 && text[length] == '\n' && memchr(text, '\\', length) == NULL)
        memcpy(name, text, length);
}

void own_status_read(const char *text, struct own_status *status) {
    uint32_t process, thread, in_namespace;
    *status = (struct own_status){.known = false};
    if (!read_number(line_behind(text, "\nTgid:"), 0, 1, &process) ||
        !read_number(line_behind(text, "\nPid:"), 0, 1, &thread) ||
        !read_number(line_behind(text, "\nPPid:"), 0, 1, &status->parent_pid) ||
        !read_number(line_behind(text, "\nUid:"), 3, 4, &status->uid) ||
        !read_number(line_behind(text, "\nNSpid:"), 0, 1, &in_namespace))
        return;
    if (process != thread || in_namespace != thread)
        return;
    status->pid = process;
    read_name(text, status->name);
    status->known = true;
}
