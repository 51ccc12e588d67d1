/* Small files that the kernel makes, of /proc and /sys, which give all that fits at once. */
#ifndef PORTWITNESS_SHARED_RAW_FILE_H
#define PORTWITNESS_SHARED_RAW_FILE_H

#include <stddef.h>

/* Reads up to `room` bytes without libc, so that it may be done at any moment in a guest. How many
 * were read; 0 where it cannot be read. */
size_t raw_file_read(const char *path, char *into, size_t room);

/* The same for text: a NUL is behind it, which `room` counts. */
size_t raw_file_read_text(const char *path, char *into, size_t room);

#endif
