/*
 * Nobody can ask a filter what it does with a call except by making the call. An answer of an errno
 * does no harm, but a filter may also kill, so a child of ours tries.
 */
#include "shim/shared/filter_trial.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim/shared/own_status.h"
#include "shim/shared/raw_syscall.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

enum { NO_FILE = -1, KEPT = 64 };

/* Reads lines of any length, of which a program in many groups has one: the number behind a name, 0
 * where there is no such line. `own`, unless NULL, is what the first lines say beside. */
static unsigned number_behind(long fd, const char *name, struct own_status *own) {
    char text[2048 + 1];
    size_t held = 0;
    long got;
    while ((got = raw_syscall3(SYS_read, fd, RAW(text + held), (long)(sizeof text - 1 - held))) >
           0) {
        held += (size_t)got;
        text[held] = '\0';
        if (own != NULL)
            own_status_read(text, own);
        own = NULL;
        const char *at = strstr(text, name);
        const char *end = at != NULL ? strchr(at + 1, '\n') : NULL;
        if (end != NULL) {
            unsigned number = 0;
            for (at += strlen(name); at < end; at++)
                if (*at >= '0' && *at <= '9')
                    number = number * 10 + (unsigned)(*at - '0');
            return number;
        }
        /* A name may be cut in two; behind one, the line ends soon. */
        size_t kept = held < KEPT ? held : KEPT;
        memmove(text, text + held - kept, kept);
        held = kept;
    }
    return 0;
}

static unsigned count_in_status(long fd, struct own_status *own) {
    if (number_behind(fd, "\nSeccomp:", own) == 0)
        return 0;
    raw_syscall3(SYS_lseek, fd, 0, SEEK_SET);
    unsigned filters = number_behind(fd, "\nSeccomp_filters:", NULL);
    return filters > 0 ? filters : 1; /* a kernel that does not count, or strict mode */
}

unsigned filter_count(void) { return filter_count_and_status(false, NULL); }

unsigned filter_count_and_status(bool is_first, struct own_status *own) {
    const char *file = is_first ? "/proc/self/status" : "/proc/thread-self/status";
    long fd = raw_syscall4(SYS_openat, AT_FDCWD, RAW(file), O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        /* No /proc here: whether, but not how many. Any error but that of a kernel without seccomp
         * is a filter's own. */
        long mode = raw_syscall3(SYS_prctl, PR_GET_SECCOMP, 0, 0);
        return mode == 0 || mode == -EINVAL ? 0 : UINT_MAX;
    }
    unsigned filters = count_in_status(fd, own);
    raw_syscall3(SYS_close, fd, 0, 0);
    return filters;
}

static void try_files(void) {
    char byte = 0;
    raw_syscall4(SYS_openat, NO_FILE, RAW(""), O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
    raw_syscall3(SYS_read, NO_FILE, RAW(&byte), 0);
    raw_syscall3(SYS_write, NO_FILE, RAW(&byte), 0);
    raw_syscall4(SYS_pread64, NO_FILE, RAW(&byte), 0, 0);
    raw_syscall3(SYS_getdents64, NO_FILE, RAW(&byte), 0);
    raw_syscall4(SYS_newfstatat, NO_FILE, RAW(""), RAW(&byte), 0);
    raw_syscall3(SYS_faccessat, NO_FILE, RAW(""), 0);
    raw_syscall4(439 /* faccessat2 */, NO_FILE, RAW(""), 0, 0);
    raw_syscall4(SYS_readlinkat, NO_FILE, RAW(""), RAW(&byte), 1);
    raw_syscall4(SYS_fgetxattr, NO_FILE, RAW("user.none"), RAW(&byte), 1);
    raw_syscall3(SYS_getcwd, RAW(&byte), 0, 0);
    raw_syscall3(SYS_close, NO_FILE, 0, 0);
}

static void try_memory(void) {
    long page =
        raw_syscall6(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page < 0 && page > -4096)
        return;
    raw_syscall3(SYS_madvise, page, 4096, MADV_POPULATE_WRITE);
    raw_syscall3(SYS_madvise, page, 4096, MADV_WIPEONFORK);
    raw_syscall6(SYS_mremap, page, 4096, 4096, 0, 0, 0);
    raw_syscall6(SYS_process_vm_readv, raw_syscall3(SYS_getpid, 0, 0, 0), page, 0, page, 0, 0);
    raw_syscall3(SYS_munmap, page, 4096, 0);
}

static void try_sockets(void) {
    char byte = 0;
    socklen_t length = 0;
    raw_syscall3(SYS_getsockname, NO_FILE, RAW(&byte), RAW(&length));
    raw_syscall3(SYS_getpeername, NO_FILE, RAW(&byte), RAW(&length));
    raw_syscall6(SYS_getsockopt, NO_FILE, SOL_SOCKET, SO_TYPE, RAW(&byte), RAW(&length), 0);
    raw_syscall6(SYS_setsockopt, NO_FILE, SOL_SOCKET, SO_REUSEADDR, RAW(&byte), 0, 0);
    raw_syscall6(SYS_sendto, NO_FILE, RAW(&byte), 0, 0, 0, 0);
    raw_syscall6(SYS_recvfrom, NO_FILE, RAW(&byte), 0, 0, 0, 0);
    raw_syscall3(SYS_socket, AF_NETLINK, NO_FILE, 0);
}

static void try_process(void) {
    const struct timespec none = {0};
    struct timespec now;
    struct rlimit limit;
    char name[16];
    raw_syscall3(SYS_getpid, 0, 0, 0);
    raw_syscall3(SYS_getppid, 0, 0, 0);
    raw_syscall3(SYS_gettid, 0, 0, 0);
    raw_syscall3(SYS_getuid, 0, 0, 0);
    raw_syscall3(SYS_geteuid, 0, 0, 0);
    raw_syscall3(SYS_getgid, 0, 0, 0);
    raw_syscall3(SYS_setfsuid, -1, 0, 0);
    raw_syscall4(SYS_prlimit64, 0, RLIMIT_AS, 0, RAW(&limit));
    raw_syscall3(SYS_prctl, PR_GET_NAME, RAW(name), 0);
    raw_syscall3(SYS_nanosleep, RAW(&none), 0, 0);
    raw_syscall3(SYS_clock_gettime, CLOCK_MONOTONIC, RAW(&now), 0);
}

/* What `run` needs beside. */
static void try_run(void) {
    raw_syscall3(SYS_pipe2, 0, 0, 0);
    raw_syscall3(SYS_epoll_create1, NO_FILE, 0, 0);
    raw_syscall4(SYS_signalfd4, NO_FILE, 0, 0, 0);
    raw_syscall3(SYS_pidfd_open, NO_FILE, 0, 0);
}

static _Noreturn void try_all(void) {
    const struct rlimit no_core = {0};
    raw_syscall4(SYS_prlimit64, 0, RLIMIT_CORE, RAW(&no_core), 0);
    try_files();
    try_memory();
    try_sockets();
    try_process();
    try_run();
    for (;;)
        raw_syscall3(SYS_exit_group, 0, 0, 0);
}

bool filter_trial(void) {
    int status = -1;
    long answer;
    /* A fork without an exit signal, so that the guest hears nothing of it (clone(2)). */
    long child = raw_syscall6(SYS_clone, 0, 0, 0, 0, 0, 0);
    if (child == 0)
        try_all();
    if (child < 0)
        return false;
    while ((answer = raw_syscall4(SYS_wait4, child, RAW(&status), __WALL, 0)) == -EINTR)
        ;
    return answer == child && status == 0;
}
