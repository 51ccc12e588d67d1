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

bool text_file_is_regular(const char *name, char why[TEXT_FILE_WHY_BYTES]) {
    struct stat status;
    snprintf(why, TEXT_FILE_WHY_BYTES, "must be a regular file");
    return stat(name, &status) != 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
}

/* The folder that the file is in, or would be, and the name there; NULL: there is none. */
static char *real_folder(const char *name, const char **base) {
    const char *slash = strrchr(name, '/');
    char folder[PATH_MAX] = ".";
    *base = slash != NULL ? slash + 1 : name;
    if (slash != NULL &&
        snprintf(folder, sizeof folder, "%.*s/", (int)(slash - name), name) >= (int)sizeof folder)
        return NULL;
    return realpath(folder, NULL);
}

bool text_file_is_one(const char *name, const char *other) {
    struct stat one;
    struct stat two;
    const char *base;
    const char *other_base;
    if (stat(name, &one) == 0 && stat(other, &two) == 0)
        return S_ISREG(one.st_mode) && one.st_dev == two.st_dev && one.st_ino == two.st_ino;
    char *folder = real_folder(name, &base);
    char *other_folder = real_folder(other, &other_base);
    bool same = folder != NULL && other_folder != NULL && strcmp(folder, other_folder) == 0 &&
                strcmp(base, other_base) == 0;
    free(folder);
    free(other_folder);
    return same;
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

/* A new file beside that one, which is to take its place; negative with errno set. */
static int open_beside(const char *name, char path[PATH_MAX]) {
    if (snprintf(path, PATH_MAX, "%s.XXXXXX", name) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return mkostemp(path, O_CLOEXEC);
}

/* `mode`: of the file that was there. */
static bool write_new(const char *name, mode_t mode, const char *text, size_t length) {
    char path[PATH_MAX];
    int file = open_beside(name, path);
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

static bool is_link_to_nothing(const char *name) {
    struct stat status;
    return stat(name, &status) != 0 && lstat(name, &status) == 0;
}

static bool can_make(const char *name) {
    char path[PATH_MAX];
    int file = open_beside(name, path);
    if (file < 0)
        return false;
    close(file);
    return unlink(path) == 0;
}

static bool refuse_link(const char *name) {
    return complain(NULL, "%s: is a symbolic link to a file that does not exist", name);
}

bool text_file_can_replace(const char *name) {
    struct stat status;
    if (is_link_to_nothing(name))
        return refuse_link(name);
    char *real = realpath(name, NULL);
    bool there = real != NULL && stat(real, &status) == 0;
    bool good = false;
    if (there && S_ISDIR(status.st_mode))
        errno = EISDIR;
    else if (there && !S_ISREG(status.st_mode))
        good = access(real, W_OK) == 0;
    else
        good = can_make(there ? real : name);
    int error = errno;
    free(real);
    return good || complain(NULL, "%s: %s", name, strerror(error));
}

bool text_file_replace(const char *name, const char *text, size_t length) {
    struct stat status;
    mode_t mask = umask(0);
    (void)umask(mask);
    mode_t mode = 0666 & ~mask;
    char *real = realpath(name, NULL); /* a link stays one */
    bool good;
    if (is_link_to_nothing(name)) {
        free(real);
        return refuse_link(name);
    }
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
