/* Profiles of containers refuse process_vm_readv(2) and leave /proc/PID/mem, which takes the same
 * rights. */
#include "harness/system/process_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 4096 };

/* In parts, each in one page: a part that is not mapped ends the reading, not all of it. */
static ssize_t read_by_call(pid_t pid, uint64_t address, void *into, size_t size) {
    struct iovec remote[PROCESS_MEMORY_MOST / PAGE + 1];
    struct iovec local = {into, size};
    unsigned long parts = 0;
    for (size_t done = 0; done < size; parts++) {
        size_t part = PAGE - (size_t)((address + done) % PAGE);
        if (part > size - done)
            part = size - done;
        remote[parts] = (struct iovec){(void *)(uintptr_t)(address + done), part};
        done += part;
    }
    return process_vm_readv(pid, &local, 1, remote, parts, 0);
}

static ssize_t read_by_file(pid_t pid, uint64_t address, void *into, size_t size) {
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    ssize_t got = pread(file, into, size, (off_t)address);
    int error = errno;
    close(file);
    errno = error;
    return got;
}

ssize_t process_memory_read(pid_t pid, uint64_t address, void *into, size_t size) {
    if (size > PROCESS_MEMORY_MOST)
        size = PROCESS_MEMORY_MOST;
    ssize_t got = read_by_call(pid, address, into, size);
    if (got >= 0 || (errno != EPERM && errno != ENOSYS))
        return got;
    return read_by_file(pid, address, into, size);
}
