/* Workers of one suite have command lines of a thousand bytes that differ in one: the one that is
 * wanted. */
#include "harness/report/command_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { COMMAND_LOOKED_AT = 8192, HEAD = 24, TAIL = COMMAND_TEXT_WIDTH - HEAD - 6 };

/* The begin of the character that the byte is a part of. */
static size_t character(const char *text, size_t at) {
    while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    return at;
}

static size_t first_difference(const char *one, const char *other) {
    size_t at = 0;
    while (one[at] != '\0' && one[at] == other[at])
        at++;
    return at;
}

/* Where the part behind the gap begins: at the word that differs, if the end does not show it. */
static size_t tail_of(const char *command, size_t length, const char *other) {
    size_t tail = length - TAIL;
    size_t at = other != NULL ? first_difference(command, other) : length;
    if (at >= tail || at < HEAD)
        return tail;
    for (size_t word = at; word > HEAD && at - word < TAIL / 2; word--)
        if (command[word - 1] == ' ')
            return word;
    return at;
}

/* Where programs and scripts lie is what people know of them. */
static void drop_folders(const char *command, char to[COMMAND_LOOKED_AT]) {
    size_t used = 0;
    for (const char *at = command; *at != '\0' && used + 1 < COMMAND_LOOKED_AT; at++) {
        size_t length = strcspn(at, " ");
        bool begins_word = at == command || at[-1] == ' ';
        for (size_t i = 0; begins_word && *at == '/' && i + 1 < length; i++)
            if (at[length - 2 - i] == '/') {
                at += length - 1 - i;
                break;
            }
        to[used++] = *at;
    }
    to[used] = '\0';
}

const char *command_text(const char *command, const char *other, char text[COMMAND_TEXT_SIZE]) {
    char shorter[COMMAND_LOOKED_AT];
    char other_shorter[COMMAND_LOOKED_AT];
    if (strlen(command) > COMMAND_TEXT_WIDTH) {
        drop_folders(command, shorter);
        command = shorter;
    }
    if (command == shorter && other != NULL) {
        drop_folders(other, other_shorter);
        other = other_shorter;
    }
    size_t length = strlen(command);
    if (length <= COMMAND_TEXT_WIDTH) {
        snprintf(text, COMMAND_TEXT_SIZE, "%.*s", COMMAND_TEXT_SIZE - 1, command);
        return text;
    }
    size_t head = character(command, HEAD);
    size_t tail = character(command, tail_of(command, length, other));
    size_t end = tail + TAIL < length ? character(command, tail + TAIL) : length;
    snprintf(text, COMMAND_TEXT_SIZE, "%.*s...%.*s%s", (int)head, command, (int)(end - tail),
             command + tail, end < length ? "..." : "");
    return text;
}
