/* In a log of ten thousand lines the eye finds a colour before it reads a word; in a file the codes
 * for it are dirt. */
#include "harness/base/colour.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool colour_read(const char *text, enum colour_when *when) {
    static const char *const names[] = {
        [COLOUR_AUTO] = "auto", [COLOUR_ALWAYS] = "always", [COLOUR_NEVER] = "never"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0) {
            *when = (enum colour_when)i;
            return true;
        }
    return false;
}

bool colour_is_wanted(enum colour_when when, FILE *to) {
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    if (when != COLOUR_AUTO)
        return when == COLOUR_ALWAYS;
    return (no_color == NULL || *no_color == '\0') && terminal != NULL &&
           strcmp(terminal, "dumb") != 0 && isatty(fileno(to));
}

void colour_write(FILE *to, enum colour colour, const char *text) {
    static const int codes[] = {
        [COLOUR_RED] = 31, [COLOUR_YELLOW] = 33, [COLOUR_CYAN] = 36, [COLOUR_GREEN] = 32};
    if (colour == COLOUR_NONE)
        fputs(text, to);
    else
        fprintf(to, "\033[1;%dm%s\033[0m", codes[colour], text);
}
