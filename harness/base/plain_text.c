/* The control characters of ISO 8859-1 (U+0080 to U+009F) drive many terminals as well as those of
 * ASCII do, as single bytes or in UTF-8; bytes of that range within other characters do not. */
#include "harness/base/plain_text.h"

#include <stdbool.h>
#include <stdint.h>

static bool is_continuation(unsigned char byte) { return (byte & 0xc0) == 0x80; }

/* Of valid UTF-8; else 1. */
static size_t decode(const char *text, uint32_t *code) {
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = bytes[0] >= 0xf0 && bytes[0] < 0xf8   ? 4
                    : bytes[0] >= 0xe0 && bytes[0] < 0xf0 ? 3
                    : bytes[0] >= 0xc2 && bytes[0] < 0xe0 ? 2
                                                          : 1;
    *code = bytes[0];
    if (length == 1)
        return 1;
    uint32_t value = bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (!is_continuation(bytes[i]))
            return 1;
        value = value << 6 | (bytes[i] & 0x3fu);
    }
    *code = value;
    return length;
}

static bool is_unsafe(uint32_t code) {
    return code < ' ' || (code >= 0x7f && code <= 0x9f) || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

size_t plain_text_character(const char *text) {
    uint32_t code;
    return decode(text, &code);
}

size_t plain_text_unsafe(const char *text) {
    uint32_t code;
    size_t length = decode(text, &code);
    return *text != '\0' && is_unsafe(code) ? length : 0;
}

void plain_text_make(char *text) {
    /* As a rule there is nothing else. */
    while (*text >= ' ' && *text < 0x7f)
        text++;
    char *to = text;
    while (*text != '\0') {
        size_t unsafe = plain_text_unsafe(text);
        size_t length = unsafe > 0 ? unsafe : plain_text_character(text);
        if (unsafe > 0)
            *to++ = '?';
        for (size_t i = 0; unsafe == 0 && i < length; i++)
            *to++ = text[i];
        text += length;
    }
    *to = '\0';
}
