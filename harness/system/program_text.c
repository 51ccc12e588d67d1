/* A return address says nothing without the file that it lies in, and that is known only while the
 * program runs. */
#include "harness/system/program_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "begin-end perms offset device inode    path": proc(5). */
static bool is_code_of(const char *line, const char *path, struct program_text *text) {
    char permissions[5];
    int at = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %n", &text->begin, &text->end,
               permissions, &text->offset, &at) != 4 ||
        at == 0)
        return false;
    size_t length = strlen(path);
    return permissions[2] == 'x' && strncmp(line + at, path, length) == 0 &&
           line[at + (int)length] == '\n';
}

bool program_text_read(pid_t pid, const char *path, struct program_text *text) {
    char name[64];
    char *line = NULL;
    size_t room = 0;
    bool found = false;
    snprintf(name, sizeof name, "/proc/%d/maps", (int)pid);
    FILE *maps = *path != '\0' ? fopen(name, "re") : NULL;
    while (maps != NULL && !found && getline(&line, &room, maps) > 0)
        found = is_code_of(line, path, text);
    if (maps != NULL)
        fclose(maps);
    free(line);
    if (!found)
        *text = (struct program_text){0};
    return found;
}
