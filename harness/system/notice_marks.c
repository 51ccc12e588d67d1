/*
 * The kernel sends a destroy notice by a work queue of the processor on which the socket ended. On
 * a busy machine that can take longer than any pause that one would like to make; but what stands
 * in one queue is sent in order.
 */
#include "harness/system/notice_marks.h"

#include <limits.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t close_one(void) {
    uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (file < 0)
        return 0;
    if (getsockopt(file, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0)
        cookie = 0;
    close(file);
    return cookie;
}

/* No processor of this kernel has this number or a higher one: the system call returns the size of
 * the kernel's own mask (sched_getaffinity(2)). Not sysconf(_SC_NPROCESSORS_CONF): it needs /sys,
 * and counts without the gaps in the numbering. 0 where the mask has no room here. */
static size_t possible_processors(cpu_set_t *ours) {
    CPU_ZERO(ours);
    long bytes = syscall(SYS_sched_getaffinity, 0, sizeof *ours, ours);
    return bytes > 0 ? (size_t)bytes * CHAR_BIT : 0;
}

size_t notice_marks_make(uint64_t cookies[NOTICE_MARKS_MAX]) {
    cpu_set_t ours;
    size_t count = 0;
    size_t possible = possible_processors(&ours);
    /* Not only those in `ours`: a guest may have moved itself to any other, as we can. Those that
     * are absent, or outside our cpuset, the kernel refuses. */
    for (size_t cpu = 0; cpu < possible && count < NOTICE_MARKS_MAX; cpu++) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (sched_setaffinity(0, sizeof one, &one) == 0 && (cookies[count] = close_one()) != 0)
            count++;
    }
    if (possible > 0)
        (void)sched_setaffinity(0, sizeof ours, &ours);
    return count;
}
