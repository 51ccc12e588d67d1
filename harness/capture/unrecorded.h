/* Calls by which `run` looks after the sockets of others. In a run that another one has started the
 * shim of that is in `run` itself, and would take them for its own: so none goes by libc. As libc's
 * they set errno. */
#ifndef PORTWITNESS_CAPTURE_UNRECORDED_H
#define PORTWITNESS_CAPTURE_UNRECORDED_H

#include <errno.h>
#include <sys/socket.h>

#include "shim/shared/raw_syscall.h"

static inline int unrecorded_result(long result) {
    if (result >= 0)
        return (int)result;
    errno = (int)-result;
    return -1;
}

static inline int unrecorded_bind(int fd, const struct sockaddr *address, socklen_t length) {
    return unrecorded_result(raw_syscall3(SYS_bind, fd, RAW(address), (long)length));
}

static inline int unrecorded_connect(int fd, const struct sockaddr *address, socklen_t length) {
    return unrecorded_result(raw_syscall3(SYS_connect, fd, RAW(address), (long)length));
}

static inline int unrecorded_listen(int fd, int backlog) {
    return unrecorded_result(raw_syscall3(SYS_listen, fd, backlog, 0));
}

static inline int unrecorded_getsockname(int fd, struct sockaddr *address, socklen_t *length) {
    return unrecorded_result(raw_syscall3(SYS_getsockname, fd, RAW(address), RAW(length)));
}

static inline int unrecorded_duplicate(int pidfd, int fd) {
    return unrecorded_result(raw_syscall3(SYS_pidfd_getfd, pidfd, fd, 0));
}

static inline void unrecorded_close(int fd) { (void)raw_syscall3(SYS_close, fd, 0, 0); }

#endif
