/* One form for all languages, that of the sanitizers: the function, then file and line, which
 * editors and terminals find by themselves. */
#include "harness/report/call_place.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Whoever reads the report stands in that folder. */
static const char *without_folder(const char *file) {
    char folder[PATH_MAX];
    if (file[0] != '/' || getcwd(folder, sizeof folder) == NULL)
        return file;
    size_t length = strlen(folder);
    bool is_below = length > 1 && strncmp(file, folder, length) == 0 && file[length] == '/';
    return is_below ? file + length + 1 : file;
}

const char *place_words(const char *function, const char *file, uint32_t line,
                        char text[SIDE_TEXT_SIZE]) {
    char number[16] = "";
    if (file != NULL && line != 0)
        snprintf(number, sizeof number, ":%" PRIu32, line);
    snprintf(text, SIDE_TEXT_SIZE, "%s%s%s%s", function != NULL ? function : "",
             function != NULL && file != NULL ? " " : "", file != NULL ? without_folder(file) : "",
             number);
    return text;
}

static bool is_source(const struct source_place *place) {
    return place->of != 0 || (place->address != 0 && place->file != NULL);
}

const char *call_source(const struct check *check, struct source_lines *lines,
                        const struct call *call, char text[SIDE_TEXT_SIZE]) {
    const struct source_place place = source_place_of(check, lines, call);
    text[0] = '\0';
    return is_source(&place) ? place_words(place.function, place.file, place.line, text) : text;
}

const char *call_place(const struct check *check, struct source_lines *lines,
                       const struct call *call, char text[SIDE_TEXT_SIZE]) {
    const struct source_place place = source_place_of(check, lines, call);
    if (is_source(&place))
        return place_words(place.function, place.file, place.line, text);
    return side_site(check, lines, call, place.address, text);
}
