/* A message is one line, whatever stands in a file's name. */
#include "harness/base/message.h"

#include "harness/base/plain_text.h"

enum { LINE_BYTES = 8192 };

void message_put(char *text, size_t size, const char *format, va_list arguments) {
    text[0] = '\0';
    vsnprintf(text, size, format, arguments);
    plain_text_make(text);
}

void message_write(FILE *to, const char *format, ...) {
    char line[LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    message_put(line, sizeof line, format, arguments);
    va_end(arguments);
    fprintf(to, "%s\n", line);
}

bool complain(const char *command, const char *format, ...) {
    char line[LINE_BYTES];
    va_list arguments;
    int length = snprintf(line, sizeof line, "portwitness%s%s: ", command != NULL ? " " : "",
                          command != NULL ? command : "");

    va_start(arguments, format);
    message_put(line + length, sizeof line - (size_t)length, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s\n", line);
    return false;
}

const char *plural(unsigned long long count) { return count == 1 ? "" : "s"; }
