/*
 * The kernel sends a destroy notice by a work queue of the processor on which the socket ended. On
 * a busy machine that can take longer than any pause that one would like to make; but what stands
 * in one queue is sent in order.
 */
#include "harness/system/notice_marks.h"

#include <sched.h>
#include <sys/socket.h>
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

size_t notice_marks_make(uint64_t cookies[NOTICE_MARKS_MAX]) {
    cpu_set_t ours;
    size_t count = 0;
    if (sched_getaffinity(0, sizeof ours, &ours) != 0)
        return 0;
    for (size_t cpu = 0; cpu < CPU_SETSIZE && count < NOTICE_MARKS_MAX; cpu++) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        /* Also those that we were not on: the guests may have been. */
        if (sched_setaffinity(0, sizeof one, &one) == 0 && (cookies[count] = close_one()) != 0)
            count++;
    }
    (void)sched_setaffinity(0, sizeof ours, &ours);
    return count;
}
