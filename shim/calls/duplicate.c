/* dup, dup2, dup3, fcntl(F_DUPFD) and pidfd_getfd: more numbers for one socket, and numbers that
 * are closed because another socket takes them. */
#include <errno.h>
#include <fcntl.h>

#include "shim/gate.h"
#include "shim/policy/policy.h"
#include "shim/real.h"
#include "shim/socket/sockets.h"

/* dup2 and dup3 close their target. */
static void before_replacing(int fd, int target) {
    struct socket_facts facts;
    if (policy_on && gate() == GATE_OPEN && fd != target && descriptor_copy(target, &facts))
        policy_before_release(&facts);
}

static void note_duplicate(int fd, int copy, const struct call_context *context) {
    struct socket_facts facts;
    if (copy < 0 || gate() != GATE_OPEN)
        return;
    socket_record(fd);
    /* The number may have been closed unseen and stand for something else. */
    if (socket_known(fd, &facts, true))
        socket_adopt(copy, &facts, fd, context);
    else
        descriptor_clear(copy);
}

int call_dup(int fd, const void *site) {
    if (descriptor_find(fd) == NULL) {
        int plain = real.dup(fd);
        if (descriptor_find(plain) != NULL && gate() == GATE_OPEN)
            descriptor_clear(plain); /* it was closed unseen */
        return plain;
    }
    struct call_context context = {.number = NUMBER_dup,
                                   .site = site,
                                   .begin_ns = monotonic_ns(),
                                   .flags = PW_FLAG_DUPLICATED};
    int copy = real.dup(fd);
    note_duplicate(fd, copy, &context);
    return copy;
}

/* The target was closed by the kernel on the way, silently (dup(2)). */
static void note_replaced(int fd, int target, const struct call_context *context) {
    struct socket_facts facts;
    struct record record;
    if (gate() != GATE_OPEN)
        return;
    if (descriptor_take(target, &facts)) {
        if (socket_record_begin(&record, PW_KIND_CLOSE, 1, target, &facts, context))
            record_commit(&record, 0);
        if (policy_on)
            policy_note_released(&facts, facts.port);
    }
    note_duplicate(fd, target, context);
}

int call_dup2(int fd, int target, const void *site) {
    if (descriptor_find(fd) == NULL && descriptor_find(target) == NULL)
        return real.dup2(fd, target);
    struct call_context context = {.number = NUMBER_dup2,
                                   .site = site,
                                   .begin_ns = monotonic_ns(),
                                   .flags = PW_FLAG_DUPLICATED};
    before_replacing(fd, target);
    int result = real.dup2(fd, target);
    if (result >= 0 && fd != target)
        note_replaced(fd, target, &context);
    return result;
}

int call_dup3(int fd, int target, int flags, const void *site) {
    if (descriptor_find(fd) == NULL && descriptor_find(target) == NULL)
        return real.dup3(fd, target, flags);
    struct call_context context = {.number = NUMBER_dup3,
                                   .site = site,
                                   .begin_ns = monotonic_ns(),
                                   .flags = PW_FLAG_DUPLICATED};
    before_replacing(fd, target);
    int result = real.dup3(fd, target, flags);
    if (result >= 0)
        note_replaced(fd, target, &context);
    return result;
}

int call_fcntl(int fd, int command, long argument, int (*next)(int, int, ...), int number,
               const void *site) {
    if ((command != F_DUPFD && command != F_DUPFD_CLOEXEC) || descriptor_find(fd) == NULL)
        return next(fd, command, argument);
    struct call_context context = {
        .number = number, .site = site, .begin_ns = monotonic_ns(), .flags = PW_FLAG_DUPLICATED};
    int copy = next(fd, command, argument);
    note_duplicate(fd, copy, &context);
    return copy;
}

int call_pidfd_getfd(int pidfd, int target, unsigned flags, const void *site) {
    struct call_context context = {.number = NUMBER_pidfd_getfd,
                                   .site = site,
                                   .begin_ns = monotonic_ns(),
                                   .flags = PW_FLAG_RECEIVED};
    struct socket_facts facts;
    int fd = real.pidfd_getfd(pidfd, target, flags);
    if (fd >= 0 && gate() == GATE_OPEN && socket_ask(fd, &facts))
        socket_adopt(fd, &facts, -1, &context);
    return fd;
}
