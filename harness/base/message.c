/* A message is one line, whatever stands in a file's name. */
#include "harness/base/message.h"

#include <stdarg.h>

enum { LINE_BYTES = 8192 };

static void write_line(FILE *to, char *line) {
    for (char *byte = line; *byte != '\0'; byte++)
        if ((unsigned char)*byte < ' ' || *byte == 127)
            *byte = '?';
    fprintf(to, "%s\n", line);
}

void message_write(FILE *to, const char *format, ...) {
    char line[LINE_BYTES] = "";
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    write_line(to, line);
}

bool complain(const char *command, const char *format, ...) {
    char line[LINE_BYTES] = "";
    va_list arguments;
    int length = snprintf(line, sizeof line, "portwitness%s%s: ", command != NULL ? " " : "",
                          command != NULL ? command : "");

    va_start(arguments, format);
    vsnprintf(line + length, sizeof line - (size_t)length, format, arguments);
    va_end(arguments);
    write_line(stderr, line);
    return false;
}

const char *plural(unsigned long long count) { return count == 1 ? "" : "s"; }
