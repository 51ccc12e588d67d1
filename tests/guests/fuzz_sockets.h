/* Descriptors in many states, in pairs: one known to the shim, its twin made past it. See
 * fuzz_calls.c. */
#ifndef FUZZ_SOCKETS_H
#define FUZZ_SOCKETS_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/shared/raw_syscall.c"
#include "tests/guests/fuzz_memory.h"

/* The kernel's answer, past every library. */
static long bare_call(long number, const long a[6]) {
    long result = raw_syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

/* A call that prepares something, for one of the twins. */
#define PREPARE(twin, number, ...) prepare(twin, number, (const long[6]){__VA_ARGS__})
static long prepare(int twin, long number, const long a[6]) {
    return twin == BARE ? bare_call(number, a)
                        : syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

enum kind {
    TCP_FRESH,
    TCP_BOUND,
    TCP_LISTENS,
    TCP_CONNECTED,
    UDP_FRESH,
    UDP_BOUND,
    UDP_CONNECTED,
    TCP6_FRESH,
    UDP6_FRESH,
    UNIX_FRESH,
    UNIX_PAIR,
    UNIX_FULL,
    PIPE,
    DEVICE,
    PIDFD,
    KINDS
};

enum {
    HIGHEST = 256,
    PARKED = 240
}; /* the limit of descriptors; numbers that are used as targets */

static struct slot {
    bool is_made;
    int fd[TWINS];
    int other[TWINS]; /* the peer, or -1 */
} slots[KINDS];

static bool was_open[HIGHEST];

static long new_socket(int twin, int family, int type) {
    return PREPARE(twin, SYS_socket, family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static void bind_any(int twin, long fd) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (PREPARE(twin, SYS_bind, fd, (long)&address, sizeof address) != 0)
        fail("bind");
}

static void connect_to(int twin, long fd, long target) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    if (PREPARE(twin, SYS_getsockname, target, (long)&address, (long)&length) != 0)
        fail("getsockname");
    if (PREPARE(twin, SYS_connect, fd, (long)&address, sizeof address) != 0 && errno != EINPROGRESS)
        fail("connect");
}

/* What is reset leaves no TIME_WAIT. */
static void connect_pair(int twin, struct slot *slot) {
    const struct linger reset = {1, 0};
    long listener = new_socket(twin, AF_INET, SOCK_STREAM);
    bind_any(twin, listener);
    if (PREPARE(twin, SYS_listen, listener, 4) != 0)
        fail("listen");
    connect_to(twin, slot->fd[twin], listener);
    PREPARE(twin, SYS_fcntl, listener, F_SETFL, 0);
    long accepted = PREPARE(twin, SYS_accept4, listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
    slot->other[twin] = (int)accepted;
    PREPARE(twin, SYS_close, listener);
    PREPARE(twin, SYS_setsockopt, accepted, SOL_SOCKET, SO_LINGER, (long)&reset, sizeof reset);
    PREPARE(twin, SYS_setsockopt, slot->fd[twin], SOL_SOCKET, SO_LINGER, (long)&reset,
            sizeof reset);
}

/* A message with two descriptors. */
static void send_rights(int twin, int over, const int passed[2]) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {.header = {CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct iovec data = {"x", 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control.bytes};
    memcpy(CMSG_DATA(&control.header), passed, 2 * sizeof(int));
    if (PREPARE(twin, SYS_sendmsg, over, (long)&message, 0) < 0)
        fail("sendmsg");
}

static void make_pair(int twin, struct slot *slot, int type) {
    int ends[2] = {-1, -1};
    if (PREPARE(twin, SYS_socketpair, AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                (long)ends) != 0)
        fail("socketpair");
    slot->fd[twin] = ends[0];
    slot->other[twin] = ends[1];
}

static void fill_pair(int twin, struct slot *slot) {
    make_pair(twin, slot, SOCK_DGRAM);
    int udp = (int)new_socket(twin, AF_INET, SOCK_DGRAM);
    for (int i = 0; i < 2; i++)
        send_rights(twin, slot->other[twin], (const int[2]){udp, slot->other[twin]});
    PREPARE(twin, SYS_close, udp);
}

static void make_inet(int twin, enum kind kind, struct slot *slot) {
    bool is_udp = kind >= UDP_FRESH && kind != TCP6_FRESH;
    int family = kind == TCP6_FRESH || kind == UDP6_FRESH ? AF_INET6 : AF_INET;
    slot->fd[twin] = (int)new_socket(twin, family, is_udp ? SOCK_DGRAM : SOCK_STREAM);
    if (kind == TCP_BOUND || kind == TCP_LISTENS || kind == UDP_BOUND)
        bind_any(twin, slot->fd[twin]);
    if (kind == TCP_LISTENS)
        PREPARE(twin, SYS_listen, slot->fd[twin], 4);
    if (kind == TCP_CONNECTED)
        connect_pair(twin, slot);
    if (kind == UDP_CONNECTED) {
        slot->other[twin] = (int)new_socket(twin, AF_INET, SOCK_DGRAM);
        bind_any(twin, slot->other[twin]);
        connect_to(twin, slot->fd[twin], slot->other[twin]);
    }
}

static void make_slot(int twin, enum kind kind, struct slot *slot) {
    int ends[2] = {-1, -1};
    slot->other[twin] = -1;
    switch (kind) {
    case UNIX_FRESH:
        slot->fd[twin] = (int)new_socket(twin, AF_UNIX, SOCK_DGRAM);
        break;
    case UNIX_PAIR:
        make_pair(twin, slot, SOCK_STREAM);
        break;
    case UNIX_FULL:
        fill_pair(twin, slot);
        break;
    case PIPE:
        PREPARE(twin, SYS_pipe2, (long)ends, O_NONBLOCK | O_CLOEXEC);
        slot->fd[twin] = ends[0];
        slot->other[twin] = ends[1];
        break;
    case DEVICE:
        slot->fd[twin] =
            (int)PREPARE(twin, SYS_openat, AT_FDCWD, (long)"/dev/null", O_RDWR | O_CLOEXEC);
        break;
    case PIDFD:
        slot->fd[twin] = (int)PREPARE(twin, SYS_pidfd_open, getpid(), 0);
        break;
    default:
        make_inet(twin, kind, slot);
    }
    if (slot->fd[twin] < 0)
        fail("a descriptor");
}

static struct slot *made_slot(enum kind kind) {
    struct slot *slot = &slots[kind];
    if (!slot->is_made) {
        make_slot(WRAPPED, kind, slot);
        make_slot(BARE, kind, slot);
    }
    slot->is_made = true;
    return slot;
}

static void release(struct slot *slot) {
    for (int twin = 0; twin < TWINS && slot->is_made; twin++) {
        if (slot->fd[twin] >= 0)
            PREPARE(twin, SYS_close, slot->fd[twin]);
        if (slot->other[twin] >= 0)
            PREPARE(twin, SYS_close, slot->other[twin]);
    }
    slot->is_made = false;
}

static bool is_open(int fd) { return bare_call(SYS_fcntl, (const long[6]){fd, F_GETFD}) >= 0; }

static bool is_of_a_slot(int fd) {
    for (int kind = 0; kind < KINDS; kind++)
        for (int twin = 0; twin < TWINS && slots[kind].is_made; twin++)
            if (slots[kind].fd[twin] == fd || slots[kind].other[twin] == fd)
                return true;
    return false;
}

static void remember_open(void) {
    for (int fd = 0; fd < HIGHEST; fd++)
        was_open[fd] = is_open(fd);
}

/* Closes what the call of one twin has brought: received, accepted, duplicated. */
static void close_new(int twin) {
    for (int fd = 0; fd < HIGHEST; fd++)
        if (!was_open[fd] && !is_of_a_slot(fd) && is_open(fd))
            PREPARE(twin, SYS_close, fd);
}

#endif
