/* Kind quotes what it does not know, so that its texts hold no control characters. */
#include "harness/kind/quoted.h"

#include <stdio.h>
#include <stdlib.h>

char *quoted(const char *text) {
    char *quotation = NULL;
    size_t length;
    FILE *to = open_memstream(&quotation, &length);

    if (to == NULL)
        abort();
    fputc('"', to);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte == '"' || byte == '\\')
            fprintf(to, "\\%c", byte);
        else if (byte == '\n' || byte == '\t' || byte == '\r')
            fprintf(to, "\\%c", byte == '\n' ? 'n' : byte == '\t' ? 't' : 'r');
        else if (byte < ' ' || byte == 127)
            fprintf(to, "\\x%02x", byte);
        else
            fputc(byte, to);
    }
    fputc('"', to);
    fclose(to);
    return quotation;
}
