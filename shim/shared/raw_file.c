/* Files of the kernel's are read at moments when libc must not be called. */
#include "shim/shared/raw_file.h"

#include <fcntl.h>

#include "shim/shared/raw_syscall.h"

size_t raw_file_read(const char *path, char *into, size_t room) {
    long fd = raw_syscall4(SYS_openat, AT_FDCWD, RAW(path), O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    long got = raw_syscall3(SYS_read, fd, RAW(into), (long)room);
    raw_syscall3(SYS_close, fd, 0, 0);
    return got > 0 ? (size_t)got : 0;
}

size_t raw_file_read_text(const char *path, char *into, size_t room) {
    size_t got = raw_file_read(path, into, room - 1);
    into[got] = '\0';
    return got;
}
