/* Ports, pids, shards and folders differ from run to run and from machine to machine; a finding is
 * known all the same. */
#include "harness/report/stable_text.h"

#include <stdbool.h>
#include <string.h>

static bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

/* The last part of the path, which ends before the same bytes. */
static const char *last_part(const char *path) {
    size_t length = strcspn(path, " :,'\")");
    const char *part = path;
    for (size_t i = 0; i + 1 < length; i++)
        if (path[i] == '/')
            part = path + i + 1;
    return part;
}

/* Is it right in a folder for temporary files, where names are made up as a rule? */
static bool is_temporary(const char *path) {
    static const char *const folders[] = {"/tmp/", "/var/tmp/", "/dev/shm/"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (strncmp(path, folders[i], strlen(folders[i])) == 0)
            return last_part(path) == path + strlen(folders[i]);
    return false;
}

/* Behind which byte an absolute path can begin. */
static bool begins_path(const char *text, const char *at) {
    return *at == '/' && (at == text || strchr(" =:,'\"(", at[-1]) != NULL);
}

const char *stable_text(const char *text, char *to, size_t size) {
    size_t used = 0;
    const char *at = text;
    while (*at != '\0' && used + 1 < size) {
        if (begins_path(text, at) && is_temporary(at)) {
            to[used++] = '*';
            at += strcspn(at, " :,'\")");
        } else if (begins_path(text, at) && last_part(at) != at) {
            at = last_part(at);
        } else if (is_digit(*at)) {
            to[used++] = 'N';
            while (is_digit(*at))
                at++;
        } else {
            to[used++] = *at++;
        }
    }
    to[used] = '\0';
    return to;
}
