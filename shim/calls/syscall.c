/* syscall(2): Node closes its sockets this way. The numbers that concern us are routed to the
 * wrappers; all others jump straight on (entries.S). */
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "shim/real.h"
#include "shim/start.h"

/* Read by entries.S. */
__attribute__((visibility("hidden"))) unsigned char syscall_is_routed[512] = {
    [SYS_socket] = 1,      [SYS_setsockopt] = 1, [SYS_bind] = 1,       [SYS_listen] = 1,
    [SYS_connect] = 1,     [SYS_accept] = 1,     [SYS_accept4] = 1,    [SYS_getsockname] = 1,
    [SYS_sendto] = 1,      [SYS_sendmsg] = 1,    [SYS_sendmmsg] = 1,   [SYS_recvmsg] = 1,
    [SYS_recvmmsg] = 1,    [SYS_shutdown] = 1,   [SYS_close] = 1,      [SYS_dup] = 1,
    [SYS_dup3] = 1,        [SYS_fcntl] = 1,      [SYS_setns] = 1,      [SYS_unshare] = 1,
    [SYS_execve] = 1,      [SYS_execveat] = 1,   [SYS_exit_group] = 1, [SYS_prctl] = 1,
    [SYS_seccomp] = 1,
#ifdef SYS_dup2
    [SYS_dup2] = 1,
#endif
#ifdef SYS_close_range
    [SYS_close_range] = 1,
#endif
#ifdef SYS_pidfd_getfd
    [SYS_pidfd_getfd] = 1,
#endif
};

__attribute__((visibility("hidden"))) void *syscall_next;

#define P(type, value) ((type)(uintptr_t)(value))

static long route_socket(long number, const long a[6], const void *site) {
    switch (number) {
    case SYS_socket:
        return call_socket((int)a[0], (int)a[1], (int)a[2], site);
    case SYS_setsockopt:
        return call_setsockopt((int)a[0], (int)a[1], (int)a[2], P(void *, a[3]), (socklen_t)a[4],
                               site);
    case SYS_bind:
        return call_bind((int)a[0], P(void *, a[1]), (socklen_t)a[2], site);
    case SYS_listen:
        return call_listen((int)a[0], (int)a[1], site);
    case SYS_connect:
        return call_connect((int)a[0], P(void *, a[1]), (socklen_t)a[2], site);
    case SYS_accept:
        return call_accept((int)a[0], P(void *, a[1]), P(socklen_t *, a[2]), site);
    case SYS_accept4:
        return call_accept4((int)a[0], P(void *, a[1]), P(socklen_t *, a[2]), (int)a[3], site);
    case SYS_getsockname:
        return call_getsockname((int)a[0], P(void *, a[1]), P(socklen_t *, a[2]), site);
    case SYS_shutdown:
        return call_shutdown((int)a[0], (int)a[1], site);
    default:
        return real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}

static long route_message(long number, const long a[6], const void *site) {
    switch (number) {
    case SYS_sendto:
        return call_sendto((int)a[0], P(void *, a[1]), (size_t)a[2], (int)a[3], P(void *, a[4]),
                           (socklen_t)a[5], site);
    case SYS_sendmsg:
        return call_sendmsg((int)a[0], P(void *, a[1]), (int)a[2], site);
    case SYS_sendmmsg:
        return call_sendmmsg((int)a[0], P(void *, a[1]), (unsigned)a[2], (int)a[3], site);
    case SYS_recvmsg:
        return call_recvmsg((int)a[0], P(void *, a[1]), (int)a[2], site);
    case SYS_recvmmsg:
        return call_recvmmsg((int)a[0], P(void *, a[1]), (unsigned)a[2], (int)a[3], P(void *, a[4]),
                             site);
    default:
        return route_socket(number, a, site);
    }
}

static long route_descriptor(long number, const long a[6], const void *site) {
    switch (number) {
    case SYS_close:
        return call_close_uncancelled((int)a[0], site);
    case SYS_dup:
        return call_dup((int)a[0], site);
#ifdef SYS_dup2
    case SYS_dup2:
        return call_dup2((int)a[0], (int)a[1], site);
#endif
    case SYS_dup3:
        return call_dup3((int)a[0], (int)a[1], (int)a[2], site);
    case SYS_fcntl: /* of the rest, libc's fcntl asks some in another way */
        if ((int)a[1] != F_DUPFD && (int)a[1] != F_DUPFD_CLOEXEC)
            return real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
        return call_fcntl((int)a[0], (int)a[1], a[2], real.fcntl, NUMBER_fcntl, site);
#ifdef SYS_close_range
    case SYS_close_range:
        return call_close_range((unsigned)a[0], (unsigned)a[1], (int)a[2], site);
#endif
#ifdef SYS_pidfd_getfd
    case SYS_pidfd_getfd:
        return call_pidfd_getfd((int)a[0], (int)a[1], (unsigned)a[2], site);
#endif
    default:
        return route_message(number, a, site);
    }
}

static long route_process(long number, const long a[6], const void *site) {
    switch (number) {
    case SYS_setns:
        return call_setns((int)a[0], (int)a[1], site);
    case SYS_unshare:
        return call_unshare((int)a[0], site);
    case SYS_execve:
        return call_execve(P(char *, a[0]), P(char *const *, a[1]), P(char *const *, a[2]), site);
    case SYS_execveat:
        return call_execveat((int)a[0], P(char *, a[1]), P(char *const *, a[2]),
                             P(char *const *, a[3]), (int)a[4], site);
    case SYS_prctl:
        return call_prctl((int)a[0], a + 1, site);
    case SYS_seccomp:
        return call_seccomp(a, site);
    case SYS_exit_group:
        call__exit((int)a[0], site);
        return 0;
    default:
        return route_descriptor(number, a, site);
    }
}

/* Reached by a jump from the entry, with the caller's return address on the stack. */
__attribute__((visibility("hidden"))) long call_syscall(long number, ...);
long call_syscall(long number, ...) {
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (syscall_next == NULL) {
        shim_prepare();
        memcpy(&syscall_next, &real.syscall, sizeof syscall_next);
    }
    if (number < 0 || number >= 512 || !syscall_is_routed[number])
        return real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    /* The wrappers call libc's functions, which are cancellation points; syscall(2) is none. */
    int cancellable_before = PTHREAD_CANCEL_ENABLE;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellable_before);
    long result = route_process(number, a, __builtin_return_address(0));
    pthread_setcancelstate(cancellable_before, NULL);
    return result;
}
