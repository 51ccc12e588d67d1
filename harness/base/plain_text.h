/* Text out of files and other programs, for a terminal. */
#ifndef PORTWITNESS_BASE_PLAIN_TEXT_H
#define PORTWITNESS_BASE_PLAIN_TEXT_H

#include <stddef.h>

/* Is there a character at the text's beginning that a terminal would obey, or that turns the
 * direction of what follows? Then the number of its bytes; 0: none is there. */
size_t plain_text_unsafe(const char *text);

/* How many bytes the character at the text's beginning has; 1 also where it is none. */
size_t plain_text_character(const char *text);

/* Puts '?' in the place of each of those, which shortens the text. */
void plain_text_make(char *text);

#endif
