/* Package managers put what they install below folders of fixed names. A path is all that there is
 * to tell that from the user's own code. */
#include "shim/frames/folders.h"

#include <string.h>

const char *path_behind(const char *path, const char *folder) {
    size_t length = strlen(folder);
    const char *behind = NULL;
    for (const char *at = path; at != NULL; at = strchr(at, '/')) {
        at += *at == '/';
        if (strncmp(at, folder, length) == 0 && at[length] == '/')
            behind = at + length + 1;
    }
    return behind;
}

static bool begins_with(const char *path, const char *name) {
    size_t length = strlen(name);
    if (length > 0 && name[length - 1] == '*')
        return strncmp(path, name, length - 1) == 0;
    return strncmp(path, name, length) == 0 &&
           (path[length] == '\0' || path[length] == '/' || path[length] == '.');
}

bool path_is_of(const char *path, const char *const *names) {
    while (*names != NULL)
        if (begins_with(path, *names++))
            return true;
    return false;
}

const char *path_file(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}
