/* The name of a file in its folder. */
#ifndef PORTWITNESS_BASE_PATH_LAST_H
#define PORTWITNESS_BASE_PATH_LAST_H

#include <string.h>

/* What stands behind the last slash, "" where the path ends in one. */
static inline const char *path_last(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* ... all of the path where it ends in one. */
static inline const char *path_last_or_all(const char *path) {
    const char *last = path_last(path);
    return *last != '\0' ? last : path;
}

#endif
