/* Whose code a file holds, as far as its path says: the parts that languages share. */
#ifndef PORTWITNESS_FRAMES_FOLDERS_H
#define PORTWITNESS_FRAMES_FOLDERS_H

#include <stdbool.h>

/* What stands in the path behind the last folder of that name ("site-packages"), NULL where the
 * file is not below one. */
const char *path_behind(const char *path, const char *folder);

/* Whether the path begins with one of the names, as a folder or as a file with or without suffix.
 * A name that ends in "*" is a beginning of it. The list ends with NULL. */
bool path_is_of(const char *path, const char *const *names);

/* The path's last part. */
const char *path_file(const char *path);

#endif
