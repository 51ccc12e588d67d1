/* Whether what goes to a stream is coloured. */
#ifndef PORTWITNESS_BASE_COLOUR_H
#define PORTWITNESS_BASE_COLOUR_H

#include <stdbool.h>
#include <stdio.h>

enum colour_when { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

/* Takes "auto", "always" or "never". false: it is none of them. */
bool colour_read(const char *text, enum colour_when *when);

/* By itself on a terminal, unless TERM is "dumb" or NO_COLOR is not empty (no-color.org). */
bool colour_is_wanted(enum colour_when when, FILE *to);

enum colour { COLOUR_NONE, COLOUR_RED, COLOUR_YELLOW, COLOUR_CYAN, COLOUR_GREEN };

/* Writes the text in bold and in that colour; plainly where it is COLOUR_NONE. */
void colour_write(FILE *to, enum colour colour, const char *text);

#endif
