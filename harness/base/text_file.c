/* A pipe or a device is read like any file, as `<(...)` and /dev/null want it, and a directory
 * refuses to be read: only the size has to be watched. */
#include "harness/base/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/memory.h"

enum { PIECE_BYTES = 64 * 1024 };

char *text_file_read(const char *name, size_t most, size_t *length) {
    bool standard_input = strcmp(name, "-") == 0;
    int file = standard_input ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char *text = NULL;
    size_t room = 0;
    ssize_t got = 1;
    if (file < 0)
        return NULL;
    *length = 0;
    while (*length <= most && got != 0) {
        size_t piece = most + 1 - *length < PIECE_BYTES ? most + 1 - *length : PIECE_BYTES;
        text = memory_grow(text, &room, *length + piece + 1, 1);
        got = read(file, text + *length, piece);
        if (got < 0 && errno != EINTR)
            break;
        *length += got > 0 ? (size_t)got : 0;
    }
    int error = errno;
    if (!standard_input)
        close(file);
    if (got < 0) {
        free(text);
        errno = error;
        return NULL;
    }
    text[*length] = '\0';
    return text;
}

char *text_file_read_lines(const char *name, size_t most, char why[TEXT_FILE_WHY_BYTES]) {
    size_t length;
    char *text = text_file_read(name, most, &length);
    if (text == NULL) {
        snprintf(why, TEXT_FILE_WHY_BYTES, "%s", strerror(errno));
        return NULL;
    }
    if (length <= most && strlen(text) == length)
        return text;
    free(text);
    if (length > most)
        snprintf(why, TEXT_FILE_WHY_BYTES, "has more than %zu bytes", most);
    else
        snprintf(why, TEXT_FILE_WHY_BYTES, "is not a text file: it has a NUL in it");
    return NULL;
}
