/*
 * Datagrams, since each stands by itself: where whoever had received one was killed, it is sent
 * again with no further connect. The kernel adds who has sent it (SCM_CREDENTIALS).
 */
#include "shim/shared/notify_door.h"

#include <errno.h>
#include <time.h>

#include "shim/shared/raw_syscall.h"

enum { SEND_ROUNDS = 500, SEND_PAUSE_NS = 10 * 1000 * 1000, DIGITS = 16 };

socklen_t notify_door_name(struct sockaddr_un *name, uint64_t number) {
    static const char begin[] = "portwitness-";
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    char *at = name->sun_path + 1; /* behind the NUL that makes it abstract */
    for (size_t i = 0; i + 1 < sizeof begin; i++)
        *at++ = begin[i];
    for (unsigned i = 0; i < DIGITS; i++)
        *at++ = "0123456789abcdef"[number >> (60 - 4 * i) & 15];
    return (socklen_t)(at - (char *)name);
}

long notify_door_connect(uint64_t number) {
    struct sockaddr_un name;
    socklen_t length = notify_door_name(&name, number);
    long door = raw_syscall3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (door < 0)
        return door;
    long result = raw_syscall3(SYS_connect, door, RAW(&name), (long)length);
    if (result == 0)
        return door;
    raw_syscall3(SYS_close, door, 0, 0);
    return result;
}

/* Its queue is short, and many programs may start at a time. */
long notify_door_send(long door, int descriptor) {
    const struct timespec pause = {.tv_nsec = SEND_PAUSE_NS};
    char byte = 0;
    struct iovec part = {&byte, sizeof byte};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    *(int *)(void *)CMSG_DATA(&control.header) = descriptor;
    long result = -EAGAIN;
    for (unsigned i = 0; i < SEND_ROUNDS && (result == -EAGAIN || result == -EINTR); i++) {
        if (i > 0)
            raw_syscall4(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, RAW(&pause), 0);
        result = raw_syscall3(SYS_sendmsg, door, RAW(&message), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    return result < 0 ? result : 0;
}
