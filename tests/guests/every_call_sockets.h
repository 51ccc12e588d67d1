/* The exercisers of the rows that concern descriptors; see every_call.c. */
#ifndef EVERY_CALL_SOCKETS_H
#define EVERY_CALL_SOCKETS_H

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Prints a result, with the error where it is -1. */
static long print_result(const char *what, long result) {
    int error = errno;
    if (result == -1)
        dprintf(1, "  %s: -1 %s\n", what, strerrorname_np(error));
    else
        dprintf(1, "  %s: %ld\n", what, result);
    errno = error;
    return result;
}

/* A successful call leaves errno alone. */
#define TELL(call)                                                                                 \
    do {                                                                                           \
        errno = ENOTNAM;                                                                           \
        long answer = print_result(#call, (long)(call));                                           \
        if (answer != -1 && errno != ENOTNAM)                                                      \
            dprintf(1, "  errno was changed to %s\n", strerrorname_np(errno));                     \
    } while (0)

static struct sockaddr_in loopback(in_port_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

#define ADDRESS(variable) (struct sockaddr *)&(variable), sizeof(variable)

static int bound(int type) {
    struct sockaddr_in any = loopback(0);
    int fd = socket(AF_INET, type, 0);
    if (fd < 0 || bind(fd, ADDRESS(any)) != 0)
        perror("bind");
    return fd;
}

static struct sockaddr_in name_of(int fd) {
    struct sockaddr_in name = {0};
    socklen_t length = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &length) != 0)
        perror("getsockname");
    return name;
}

static int listener(void) {
    int fd = bound(SOCK_STREAM);
    if (listen(fd, 8) != 0)
        perror("listen");
    return fd;
}

static int client_of(int fd) {
    struct sockaddr_in name = name_of(fd);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(client, ADDRESS(name)) != 0)
        perror("connect");
    return client;
}

static void do_socket(void) {
    TELL(socket(AF_INET, SOCK_STREAM, 0));
    TELL(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP));
    TELL(socket(AF_UNIX, SOCK_STREAM, 0));
    TELL(socket(AF_INET, SOCK_STREAM, 77));
    TELL(socket(9999, 3, 0));
    /* A socket has a record of its own where it gets a second holder before its first use. */
    close(dup(socket(AF_INET, SOCK_STREAM, 0)));
}

static void do_setsockopt(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct linger now = {1, 0};
    TELL(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    TELL(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now));
    TELL(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, 1));
    TELL(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, (void *)8, sizeof on));
    TELL(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, NULL, 0));
    /* The kernel reads an int, whatever the length: the page ends behind it. */
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    memcpy(page + 4092, &on, sizeof on);
    TELL(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, page + 4092, 64));
    TELL(setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
}

static void do_bind(void) {
    struct sockaddr_in any = loopback(0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    TELL(bind(fd, (struct sockaddr *)8, sizeof any));
    TELL(bind(fd, ADDRESS(any)));
    TELL(bind(fd, ADDRESS(any)));
    any = name_of(fd);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    TELL(bind(fd, ADDRESS(any)));
    TELL(bind(fd, NULL, 0));
    TELL(bind(-1, ADDRESS(any)));
    TELL(bind(0, ADDRESS(any)));
}

static void do_bindresvport(void) {
    struct sockaddr_in any = {.sin_family = AF_INET}, wrong = {.sin_family = AF_UNIX};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    TELL(bindresvport(fd, &wrong));
    TELL(bindresvport(fd, &any));
    TELL(bindresvport(fd, NULL));
}

static void do_rresvport(void) {
    int port = IPPORT_RESERVED - 1;
    TELL(rresvport(&port));
}

static void do_rresvport_af(void) {
    int port = IPPORT_RESERVED - 1;
    TELL(rresvport_af(&port, AF_INET6));
    TELL(rresvport_af(&port, AF_UNIX));
}

static void do_listen(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), datagram = bound(SOCK_DGRAM);
    TELL(listen(fd, 1));
    TELL(listen(fd, 2));
    TELL(listen(datagram, 1));
    TELL(listen(-1, 1));
    TELL(listen(0, 1));
}

static void do_connect(void) {
    int server = listener(), fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in name = name_of(server);
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    TELL(connect(fd, (struct sockaddr *)8, sizeof name));
    TELL(connect(fd, ADDRESS(name)));
    TELL(connect(fd, ADDRESS(name)));
    TELL(connect(fd, ADDRESS(none)));
    close(server);
    TELL(connect(fd, ADDRESS(name)));
    TELL(connect(-1, ADDRESS(name)));
}

static void do_accept(void) {
    int server = listener();
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    client_of(server);
    TELL(accept(server, (struct sockaddr *)&peer, &length));
    dprintf(1, "  length %u\n", length);
    client_of(server);
    TELL(accept(server, NULL, NULL));
    TELL(accept(-1, NULL, NULL));
    TELL(accept(bound(SOCK_DGRAM), NULL, NULL));
}

static void do_accept4(void) {
    int server = listener();
    client_of(server);
    TELL(accept4(server, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
    TELL(accept4(server, NULL, NULL, 1));
    fcntl(server, F_SETFL, O_NONBLOCK);
    TELL(accept4(server, NULL, NULL, SOCK_NONBLOCK));
}

static void do_getsockname(void) {
    struct sockaddr_in name;
    socklen_t length = sizeof name, none = 0;
    int fd = bound(SOCK_STREAM), pair[2];
    TELL(getsockname(fd, (struct sockaddr *)&name, &length));
    dprintf(1, "  length %u\n", length);
    bound(SOCK_STREAM); /* the bind before has its own record marked; it is no longer the latest */
    TELL(getsockname(fd, (struct sockaddr *)&name, &length));
    TELL(getsockname(fd, NULL, &none));
    TELL(getsockname(fd, (struct sockaddr *)8, &length));
    TELL(getsockname(fd, (struct sockaddr *)&name, (void *)8));
    TELL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    none = 0;
    TELL(getsockname(pair[0], NULL, &none));
    TELL(getsockname(-1, NULL, NULL));
}

static void do_sendto(void) {
    struct sockaddr_in name = name_of(bound(SOCK_DGRAM));
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    TELL(sendto(fd, "x", 1, 0, NULL, 0));
    TELL(sendto(fd, "x", 1, 0, ADDRESS(name)));
    TELL(sendto(fd, "xy", 2, 0, ADDRESS(name)));
    TELL(sendto(-1, "x", 1, 0, ADDRESS(name)));
}

static struct iovec one_byte = {(char[]){"x"}, 1};

/* A message to an address, or one that carries a descriptor. */
static struct msghdr message_to(struct sockaddr_in *name) {
    return (struct msghdr){
        .msg_name = name, .msg_namelen = sizeof *name, .msg_iov = &one_byte, .msg_iovlen = 1};
}

static union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
} control;

static struct msghdr message_with(int fd) {
    struct msghdr message = {.msg_iov = &one_byte, .msg_iovlen = 1};
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    return message;
}

static void do_sendmsg(void) {
    struct sockaddr_in name = name_of(bound(SOCK_DGRAM));
    struct msghdr message = message_to(&name);
    int fd = socket(AF_INET, SOCK_DGRAM, 0), pair[2];
    TELL(sendmsg(fd, &message, 0));
    TELL(sendmsg(fd, &message, 0));
    TELL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    message = message_with(fd);
    TELL(sendmsg(pair[0], &message, 0));
    message = message_with(-5);
    TELL(sendmsg(pair[0], &message, 0));
    TELL(sendmsg(fd, NULL, 0));
}

static void do_sendmmsg(void) {
    struct sockaddr_in name = name_of(bound(SOCK_DGRAM));
    struct mmsghdr messages[2] = {{.msg_hdr = message_to(&name)}, {.msg_hdr = message_to(&name)}};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    TELL(sendmmsg(fd, messages, 2, 0));
    TELL(sendmmsg(fd, messages, 0, 0));
    TELL(sendmmsg(-1, messages, 2, 0));
}

static void do_recvmsg(void) {
    int fd = bound(SOCK_STREAM), pair[2];
    TELL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    struct msghdr message = message_with(fd);
    TELL(sendmsg(pair[0], &message, 0));
    message = message_with(-1);
    TELL(recvmsg(pair[1], &message, 0));
    memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    dprintf(1, "  received %d\n", fd);
    TELL(recvmsg(pair[1], &message, MSG_DONTWAIT));
}

static void do_recvmmsg(void) {
    int fd = bound(SOCK_STREAM), pair[2];
    TELL(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    struct msghdr message = message_with(fd);
    TELL(sendmsg(pair[0], &message, 0));
    struct mmsghdr messages[2] = {{.msg_hdr = message_with(-1)}, {.msg_hdr.msg_iovlen = 0}};
    TELL(recvmmsg(pair[1], messages, 2, MSG_DONTWAIT, NULL));
    TELL(recvmmsg(pair[1], messages, 2, MSG_DONTWAIT, NULL));
}

static void do_shutdown(void) {
    int server = listener();
    TELL(shutdown(client_of(server), SHUT_WR));
    TELL(shutdown(server, SHUT_RDWR));
    TELL(shutdown(server, 7));
    TELL(shutdown(bound(SOCK_STREAM), SHUT_RD));
}

static void do_close(void) {
    int fd = bound(SOCK_STREAM);
    TELL(close(fd));
    TELL(close(fd));
    TELL(close(-1));
}

static void do_fclose(void) {
    int server = listener();
    FILE *stream = fdopen(client_of(server), "r+");
    TELL(fclose(stream));
    TELL(fclose(tmpfile()));
    char text[8];
    TELL(fclose(fmemopen(text, sizeof text, "w")));
}

static void do_dup(void) {
    TELL(dup(bound(SOCK_STREAM)));
    TELL(dup(0));
    TELL(dup(-1));
}

static void do_dup2(void) {
    int fd = bound(SOCK_STREAM), other = bound(SOCK_STREAM);
    TELL(dup2(fd, other));
    TELL(dup2(fd, fd));
    TELL(dup2(1, fd));
    TELL(dup2(-1, other));
    TELL(dup2(other, -1));
}

static void do_dup3(void) {
    int fd = bound(SOCK_STREAM);
    TELL(dup3(fd, 40, O_CLOEXEC));
    TELL(dup3(fd, fd, O_CLOEXEC));
    TELL(dup3(1, 40, 0));
}

static void do_fcntl(void) {
    int fd = bound(SOCK_STREAM);
    TELL(fcntl(fd, F_DUPFD, 50));
    TELL(fcntl(fd, F_DUPFD_CLOEXEC, 50));
    TELL(fcntl(fd, F_SETFL, O_NONBLOCK));
    TELL(fcntl(fd, F_GETFD));
    TELL(fcntl(-1, F_DUPFD, 0));
    TELL(fcntl(fd, 9999, 0));
}

static void do_fcntl64(void) {
    int fd = bound(SOCK_STREAM);
    TELL(fcntl64(fd, F_DUPFD, 50));
    TELL(fcntl64(fd, F_GETFL));
}

/* Descriptors from `low` on. */
static int high(int low) { return fcntl(bound(SOCK_STREAM), F_DUPFD, low); }

static void do_close_range(void) {
    int fd = high(100);
    high(120);
    TELL(close_range((unsigned)fd, ~0U, CLOSE_RANGE_CLOEXEC));
    TELL(fcntl(fd, F_GETFD));
    TELL(close_range((unsigned)fd, ~0U, 0));
    TELL(fcntl(fd, F_GETFD));
    TELL(close_range(9, 8, 0));
}

static void do_closefrom(void) {
    int fd = high(100);
    closefrom(fd);
    TELL(fcntl(fd, F_GETFD));
}

static void do_pidfd_getfd(void) {
    int fd = bound(SOCK_STREAM), pidfd = pidfd_open(getpid(), 0);
    TELL(pidfd_getfd(pidfd, fd, 0));
    TELL(pidfd_getfd(pidfd, -1, 0));
    TELL(pidfd_getfd(fd, fd, 0));
}

static void do_syscall(void) {
    struct sockaddr_in any = loopback(0);
    long fd = syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
    TELL(syscall(SYS_bind, fd, &any, sizeof any));
    TELL(syscall(SYS_bind, fd, &any, sizeof any));
    TELL(syscall(SYS_close, fd));
    TELL(syscall(SYS_close, fd));
    TELL(syscall(SYS_getpid) == getpid());
    TELL(syscall(9999));
    TELL(syscall(-1));
}

#endif
