/* Files that people write, read whole: none of them is so large that a device, or a file of another
 * sort, could not be recognized by its size. */
#ifndef PORTWITNESS_BASE_TEXT_FILE_H
#define PORTWITNESS_BASE_TEXT_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Reads the file, or standard input where it is named "-", but at most `most` bytes and one, which
 * shows that there are more. The text, to be freed, with a NUL behind it; NULL with errno set if it
 * cannot be read. Ends the program where there is no memory. */
char *text_file_read(const char *name, size_t most, size_t *length);

enum { TEXT_FILE_WHY_BYTES = 128 };

/* The same for a file of lines, which are to be taken with strsep(3). NULL, with the reason in why,
 * if it cannot be read, has more than `most` bytes, or has a NUL in it. */
char *text_file_read_lines(const char *name, size_t most, char why[TEXT_FILE_WHY_BYTES]);

/* Is it neither a pipe nor a device nor anything else that is read only once, if at all? false,
 * with the reason in why; what is not there is regular, as far as this goes. */
bool text_file_is_regular(const char *name, char why[TEXT_FILE_WHY_BYTES]);

/* Can text_file_replace write it, as far as that can be known before? false, with one line on
 * stderr. */
bool text_file_can_replace(const char *name);

/* Are both names of one file, or would they be, if they were made? */
bool text_file_is_one(const char *name, const char *other);

/* Makes the text the file's whole content: at once, so that nobody reads a half of it and an error
 * leaves what was there. A pipe or a device is written to, and a link to
 * nothing is refused. false, with one line on stderr. */
bool text_file_replace(const char *name, const char *text, size_t length);

#endif
