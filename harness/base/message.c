/* A message is one line, whatever stands in a file's name. */
#include "harness/base/message.h"

#include <stdarg.h>

void message_write(FILE *to, const char *format, ...) {
    char line[8192] = "";
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    for (char *byte = line; *byte != '\0'; byte++)
        if ((unsigned char)*byte < ' ' || *byte == 127)
            *byte = '?';
    fprintf(to, "%s\n", line);
}
