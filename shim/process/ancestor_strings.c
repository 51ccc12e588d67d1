/*
 * A number that stood in the environment all along was handed to nobody: PORT=8080 of a CI job is
 * in the strings of the shell above as well. Those are the kernel's, in /proc, as they were when
 * that program was started.
 */
#include "shim/process/ancestor_strings.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "shim/process/start_strings.h"
#include "shim/shared/raw_file.h"
#include "shim/shared/raw_syscall.h"

enum {
    ANCESTORS_MAX = 7,
    PIECE = 1024, /* bytes at a time: it stands on the guest's stack */
    PIECES_MAX = 256,
    OVERLAP = 7 /* a number of five digits, and what stands beside it */
};

/* "/proc/PID/NAME" */
static void proc_path(char *path, uint32_t pid, const char *name) {
    char digits[10];
    unsigned count = 0;
    memcpy(path, "/proc/", 6);
    path += 6;
    do
        digits[count++] = (char)('0' + pid % 10);
    while ((pid /= 10) != 0);
    while (count > 0)
        *path++ = digits[--count];
    memcpy(path, name, strlen(name) + 1);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool file_has(uint32_t pid, const char *name, const char *digits, size_t length) {
    char path[40];
    char piece[OVERLAP + PIECE];
    size_t kept = 0;
    bool found = false;
    proc_path(path, pid, name);
    long fd = raw_syscall4(SYS_openat, AT_FDCWD, RAW(path), O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return false;
    for (unsigned i = 0; i < PIECES_MAX && !found; i++) {
        long got = raw_syscall3(SYS_read, fd, RAW(piece + kept), PIECE);
        if (got <= 0)
            break;
        size_t filled = kept + (size_t)got;
        const char *from = piece;
        const char *end = piece + filled;
        /* A number that is cut is looked at whole, with the next piece. */
        while (end > from && is_digit(end[-1]))
            end--;
        while (kept > 0 && from < end && is_digit(*from))
            from++;
        found = start_strings_have(from, end, digits, length);
        kept = filled < OVERLAP ? filled : OVERLAP;
        memmove(piece, piece + filled - kept, kept);
    }
    raw_syscall3(SYS_close, fd, 0, 0);
    return found;
}

/* Field 4 of /proc/PID/stat; the name before it may hold anything, so it ends at the last
 * parenthesis. */
static uint32_t parent_of(uint32_t pid) {
    char path[40];
    char text[256];
    uint32_t parent = 0;
    proc_path(path, pid, "/stat");
    raw_file_read_text(path, text, sizeof text);
    const char *at = strrchr(text, ')');
    if (at == NULL || strlen(at) < 4)
        return 0;
    for (at += 4; is_digit(*at); at++)
        parent = parent * 10 + (uint32_t)(*at - '0');
    return parent;
}

unsigned ancestor_strings_hold(uint16_t port) {
    char digits[5];
    size_t length = start_strings_digits(port, digits);
    uint32_t pid = (uint32_t)raw_syscall3(SYS_getppid, 0, 0, 0);
    unsigned count = 0;
    while (
        count < ANCESTORS_MAX && pid != 0 &&
        (file_has(pid, "/environ", digits, length) || file_has(pid, "/cmdline", digits, length))) {
        count++;
        pid = parent_of(pid);
    }
    return count;
}
