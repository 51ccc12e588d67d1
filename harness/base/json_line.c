/* Process names and arguments are bytes; JSON takes UTF-8 alone. What cannot be said in JSON is
 * replaced here, so that no record is left out for it. */
#include "harness/base/json_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"

json_t *json_number(uint64_t number) {
    if (number > (uint64_t)INT64_MAX)
        return json_sprintf("%llu", (unsigned long long)number);
    return json_integer((json_int_t)number);
}

json_t *json_number_or_null(uint64_t number) {
    return number == 0 ? json_null() : json_number(number);
}

/* How many bytes the UTF-8 character at `text` has, as jansson counts them; 0 if it is not one.
 */
static size_t character_length(const char *text, size_t left) {
    for (size_t length = 1; length <= 4 && length <= left; length++) {
        json_t *one = json_stringn(text, length);

        if (one != NULL) {
            json_decref(one);
            return length;
        }
    }
    return 0;
}

json_t *json_text(const char *text, size_t length) {
    static const char replacement[] = "\xef\xbf\xbd";
    json_t *value = json_stringn(text, length);
    char *clean;
    size_t used = 0;

    if (value != NULL)
        return value;
    clean = memory_copy("", 0);
    for (size_t i = 0, room = 0; i < length;) {
        size_t bytes = character_length(text + i, length - i);

        clean = memory_grow(clean, &room, used + sizeof replacement, 1);
        memcpy(clean + used, bytes > 0 ? text + i : replacement, bytes > 0 ? bytes : 3);
        used += bytes > 0 ? bytes : 3;
        i += bytes > 0 ? bytes : 1;
    }
    value = json_stringn(clean, used);
    free(clean);
    return value;
}

json_t *json_text_or_null(const char *text) {
    return text == NULL ? json_null() : json_text(text, strlen(text));
}

void json_line_write(json_t *object) {
    static char *line;
    static size_t room;
    size_t length = json_dumpb(object, line, room, JSON_COMPACT);

    /* jansson returns how much room it would have needed. */
    if (length + 1 > room) {
        line = memory_grow(line, &room, length + 1, 1);
        length = json_dumpb(object, line, room, JSON_COMPACT);
    }
    line[length] = '\n';
    /* A failed write leaves the stream's error set, which output_finish reports. */
    fwrite(line, 1, length + 1, stdout);
    json_decref(object);
}
