/* What a shell would understand, and no other program can run. */
#ifndef PORTWITNESS_BASE_SHELL_WORDS_H
#define PORTWITNESS_BASE_SHELL_WORDS_H

#include <stdbool.h>

/* If `word`, which is not a program's name, is a built-in command of a shell or a whole shell line,
 * writes a line to stderr that says how to have a shell run it, and returns true. */
bool shell_hint(const char *word);

#endif
