/* A pipe or a device is read like any file, as `<(...)` and /dev/null want it, and a directory
 * refuses to be read: only the size has to be watched. */
#include "harness/base/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/memory.h"
#include "harness/base/message.h"

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

static bool write_all(int file, const char *text, size_t length) {
    while (length > 0) {
        ssize_t put = write(file, text, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        text += put;
        length -= (size_t)put;
    }
    return true;
}

static bool write_through(const char *name, const char *text, size_t length) {
    int file = open(name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    bool good = file >= 0 && write_all(file, text, length);
    if (file >= 0)
        good = close(file) == 0 && good;
    return good;
}

/* `mode`: of the file that was there. */
static bool write_new(const char *name, mode_t mode, const char *text, size_t length) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s.XXXXXX", name) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return false;
    }
    int file = mkostemp(path, O_CLOEXEC);
    if (file < 0)
        return false;
    bool good = fchmod(file, mode) == 0 && write_all(file, text, length) && fsync(file) == 0;
    good = close(file) == 0 && good && rename(path, name) == 0;
    int error = errno;
    if (!good)
        (void)unlink(path);
    errno = error;
    return good;
}

bool text_file_replace(const char *name, const char *text, size_t length) {
    struct stat status;
    mode_t mask = umask(0);
    (void)umask(mask);
    mode_t mode = 0666 & ~mask;
    char *real = realpath(name, NULL); /* a link stays one */
    bool good;
    if (real != NULL && stat(real, &status) == 0) {
        mode = status.st_mode & 07777;
        good = S_ISREG(status.st_mode) ? write_new(real, mode, text, length)
                                       : write_through(real, text, length);
    } else {
        good = write_new(name, mode, text, length);
    }
    int error = errno;
    free(real);
    return good || complain(NULL, "%s: %s", name, strerror(error));
}
