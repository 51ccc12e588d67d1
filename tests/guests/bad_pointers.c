/* Calls with bad pointers and no messages, one by one; each prints what it got. Every call has a
 * process of its own. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Volatile, so that no compiler knows better. */
static void *volatile bad = (void *)8;
static void *volatile null = NULL;

static int tcp(void) { return socket(AF_INET, SOCK_STREAM, 0); }
static int udp(void) { return socket(AF_INET, SOCK_DGRAM, 0); }

/* An int at the end of a page, behind which nothing can be read. */
static void *last_int(void) {
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(page + 4096, 4096, PROT_NONE);
    memset(page, 1, 4096);
    return page + 4092;
}

/* An address whose second half is on that page. */
static void *half_address(void) {
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(1)};
    char *end = (char *)last_int() + 4;
    memcpy(end - 8, &address, 8);
    return end - 8;
}

static long send_with(void *name, void *vector, void *control) {
    struct msghdr message = {.msg_name = name,
                             .msg_namelen = 16,
                             .msg_iov = vector,
                             .msg_iovlen = vector != NULL,
                             .msg_control = control,
                             .msg_controllen = control != NULL ? 64 : 0};
    return sendmsg(udp(), &message, 0);
}

static long receive_with(void *control) {
    struct msghdr message = {.msg_control = control, .msg_controllen = 64};
    return recvmsg(udp(), &message, MSG_DONTWAIT);
}

/* Of two messages in a row the second one cannot be read. */
static long send_two(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
    char *place = (char *)last_int() + 4 - sizeof(struct mmsghdr) - 1;
    struct mmsghdr message = {{.msg_name = &address, .msg_namelen = sizeof address}, 0};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(place, &message, sizeof message);
    return sendmmsg(udp(), (struct mmsghdr *)(void *)place, 2, 0);
}

static char *const plain[] = {"true", NULL};
static char *const broken[] = {"true", (char *)8, NULL};

/* An option with its value at the end of a page, or none at all. */
static long set_at_end(int level, int name, socklen_t length) {
    return setsockopt(socket(AF_INET6, SOCK_DGRAM, 0), level, name,
                      (char *)last_int() + 4 - (length < 4 ? 1 : 4), length);
}

#define CASES                                                                                      \
    ONE(sendmmsg(udp(), null, 0, 0))                                                               \
    ONE(sendmmsg(udp(), bad, 0, 0))                                                                \
    ONE(syscall(SYS_sendmmsg, udp(), null, 0, 0))                                                  \
    ONE(sendmmsg(udp(), null, 1, 0))                                                               \
    ONE(send_two())                                                                                \
    ONE(sendmsg(udp(), null, 0))                                                                   \
    ONE(send_with(bad, NULL, NULL))                                                                \
    ONE(send_with(NULL, bad, NULL))                                                                \
    ONE(send_with(NULL, NULL, bad))                                                                \
    ONE(sendto(udp(), "x", 1, 0, bad, 16))                                                         \
    ONE(sendto(udp(), "x", 1, 0, half_address(), 16))                                              \
    ONE(sendto(udp(), bad, 1, 0, null, 0))                                                         \
    ONE(recvmsg(udp(), null, MSG_DONTWAIT))                                                        \
    ONE(receive_with(bad))                                                                         \
    ONE(recvmmsg(udp(), null, 0, MSG_DONTWAIT, NULL))                                              \
    ONE(recvmmsg(udp(), null, 4, MSG_DONTWAIT, NULL))                                              \
    ONE(bind(udp(), null, 16))                                                                     \
    ONE(bind(udp(), bad, 0))                                                                       \
    ONE(bind(tcp(), half_address(), 16))                                                           \
    ONE(connect(udp(), bad, 16))                                                                   \
    ONE(connect(tcp(), bad, 16))                                                                   \
    ONE(connect(tcp(), half_address(), 16))                                                        \
    ONE(connect(udp(), null, 0))                                                                   \
    ONE(connect(udp(), bad, 1 << 30))                                                              \
    ONE(getsockname(udp(), null, null))                                                            \
    ONE(getsockname(udp(), bad, bad))                                                              \
    ONE(accept(tcp(), bad, bad))                                                                   \
    ONE(setsockopt(udp(), SOL_SOCKET, SO_REUSEADDR, bad, 4))                                       \
    ONE(setsockopt(udp(), SOL_SOCKET, SO_LINGER, null, 8))                                         \
    ONE(setsockopt(socket(AF_INET6, SOCK_DGRAM, 0), IPPROTO_IPV6, IPV6_V6ONLY, null, 4))           \
    ONE(set_at_end(IPPROTO_IPV6, IPV6_V6ONLY, 64))                                                 \
    ONE(set_at_end(SOL_SOCKET, SO_REUSEADDR, 64))                                                  \
    ONE(set_at_end(IPPROTO_IP, IP_FREEBIND, 3))                                                    \
    ONE(set_at_end(SOL_SOCKET, SO_LINGER, 8))                                                      \
    ONE(execve(null, null, null))                                                                  \
    ONE(execve(bad, null, null))                                                                   \
    ONE(execve("/bin/true", plain, bad))                                                           \
    ONE(execve("/bin/true", broken, NULL))                                                         \
    ONE(execve("/bin/true", plain, broken))                                                        \
    ONE(execve("/nowhere", plain, bad))                                                            \
    ONE(execv(bad, plain))                                                                         \
    ONE(execvpe("/bin/true", plain, broken))                                                       \
    ONE(fexecve(open("/bin/true", O_RDONLY), plain, bad))                                          \
    ONE(execveat(-1, "", null, null, 0))                                                           \
    ONE(execveat(AT_FDCWD, bad, null, null, AT_EMPTY_PATH))

#define ONE(call) #call,
static const char *const cases[] = {CASES};
#undef ONE

static long make(int wanted) {
    int next = 0;
#define ONE(call)                                                                                  \
    if (next++ == wanted)                                                                          \
        return (long)(call);
    CASES
#undef ONE
    return -2;
}

static int be_child(int number) {
    errno = ENOTNAM;
    long result = make(number);
    printf("%s: %ld %s\n", cases[number], result, strerrorname_np(errno));
    return 0;
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int i = 0; i < (int)(sizeof cases / sizeof *cases); i++) {
        int status = -1;
        pid_t pid = fork();
        if (pid == 0)
            return be_child(i);
        if (waitpid(pid, &status, 0) != pid || status != 0)
            printf("%s: status %x\n", cases[i], (unsigned)status);
    }
    return 0;
}
