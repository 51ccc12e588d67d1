/* Files that people write, read whole: none of them is so large that a device, or a file of another
 * sort, could not be told by its size. */
#ifndef PORTWITNESS_TRACE_TEXT_FILE_H
#define PORTWITNESS_TRACE_TEXT_FILE_H

#include <stddef.h>

/* Reads the file, or standard input where it is named "-", but no more than `most` bytes and one,
 * which tells that there are more. The text, to be freed, with a NUL behind it; NULL with errno set
 * if it cannot be read. Ends the program where there is no memory. */
char *text_file_read(const char *name, size_t most, size_t *length);

#endif
