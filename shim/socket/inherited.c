/* A descriptor may stay open for as long as the program runs without being used once, and so may
 * its port: so all are looked at. How many there are the kernel says at once (st_size, proc(5),
 * since Linux 6.2); as a rule they are the lowest numbers, and the list need not be read. */
#include "shim/socket/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "shim/shared/raw_syscall.h"
#include "shim/shared/recorder.h"
#include "shim/socket/sockets.h"

enum { NUMBERS_WITHOUT_PROC = 256 };

struct directory_entry { /* linux_dirent64, getdents(2) */
    uint64_t inode;
    int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[];
};

static void adopt(int fd, uint64_t begin) {
    struct socket_facts facts;
    struct call_context context = {.begin_ns = begin, .flags = PW_FLAG_INHERITED};
    if (socket_ask(fd, &facts))
        socket_adopt(fd, &facts, -1, &context);
}

/* false where the number is free, or of no use as a socket (O_PATH). */
static bool probe(int fd, uint64_t begin) {
    int domain = 0;
    socklen_t length = sizeof domain;
    long answer =
        raw_syscall6(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, RAW(&domain), RAW(&length), 0);
    if (answer == 0)
        adopt(fd, begin);
    return answer != -EBADF;
}

static int parse_number(const char *text) {
    int number = 0;
    if (*text < '0' || *text > '9')
        return -1;
    for (; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (*text - '0');
    return number;
}

static void adopt_listed(int from, uint64_t begin) {
    _Alignas(struct directory_entry) char buffer[2048];
    long directory = raw_syscall4(SYS_openat, AT_FDCWD, RAW("/proc/self/fd"),
                                  O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (directory < 0) {
        for (int fd = from; fd < NUMBERS_WITHOUT_PROC; fd++)
            adopt(fd, begin);
        return;
    }
    long got;
    while ((got = raw_syscall3(SYS_getdents64, directory, RAW(buffer), sizeof buffer)) > 0)
        for (long at = 0; at < got;) {
            const struct directory_entry *entry =
                (const struct directory_entry *)(const void *)(buffer + at);
            int fd = parse_number(entry->name);
            if (fd >= from && fd != directory)
                adopt(fd, begin);
            at += entry->size;
        }
    raw_syscall3(SYS_close, directory, 0, 0);
}

void inherited_adopt(const struct proc_mount *proc) {
    uint64_t begin = monotonic_ns();
    int fd = 0;
    while ((uint64_t)fd < proc->descriptors && probe(fd, begin))
        fd++;
    if (fd == 0 || (uint64_t)fd < proc->descriptors) /* not known how many, or not the lowest */
        adopt_listed(fd, begin);
}
