/*
 * Guests that take away what the shim stands on, each by one word, and then bind in a loop. What
 * they print must not depend on whether the shim is there.
 *
 *   hostile WAY ROUNDS [COMMAND]
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/guests/print.h"

static void say(const char *what, long result) {
    int error = errno;
    print("%s: %ld %s\n", what, result, result == -1 ? strerrorname_np(error) : "");
}

/* Nothing more can be mapped. */
static void lower_address_space(void) {
    struct rlimit limit = {4096, 4096};
    say("setrlimit", setrlimit(RLIMIT_AS, &limit));
    say("mmap", mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}

static void lock_all(void) { say("mlockall", mlockall(MCL_CURRENT | MCL_FUTURE)); }

/* Every number but those of standard output and standard error. */
static void close_all(void) {
    for (int fd = 0; fd < 4096; fd++)
        if (fd != 1 && fd != 2)
            close(fd);
    say("close_range", close_range(3, ~0U, 0));
    say("open", open("/dev/null", O_RDONLY));
    say("open", open("/dev/null", O_RDONLY));
    close(3);
}

static void close_everything(void) {
    close_range(0, ~0U, 0);
    open("/dev/null", O_RDONLY);
    open("/dev/null", O_WRONLY);
}

/* A guest in a sandbox that knows only the calls which the guest itself makes. */
static void forbid_the_rest(void) {
    static const unsigned char allowed[] = {SYS_read,       SYS_write, SYS_close, SYS_socket,
                                            SYS_bind,       SYS_dup,   SYS_exit,  SYS_getsockname,
                                            SYS_exit_group, SYS_listen};
    struct sock_filter filter[2 * sizeof allowed + 2] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    unsigned short at = 1;
    for (size_t i = 0; i < sizeof allowed; i++) {
        filter[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
        filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog program = {at, filter};
    say("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    say("seccomp", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
    say("getppid", syscall(SYS_getppid));
}

static void change_root(void) {
    say("chroot", chroot("."));
    say("chdir", chdir("/"));
}

static void do_nothing(void) {}

static const struct {
    const char *name;
    void (*go)(void);
} ways[] = {{"do-nothing", do_nothing},
            {"lower-address-space", lower_address_space},
            {"lock-all", lock_all},
            {"close-all", close_all},
            {"close-everything", close_everything},
            {"forbid-the-rest", forbid_the_rest},
            {"chroot", change_root}};

static int bind_in_loop(long rounds) {
    long succeeded = 0;
    for (long i = 0; i < rounds; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t length = sizeof address;
        int fd = socket(AF_INET, SOCK_DGRAM, 0);
        succeeded += fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                     getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
                     address.sin_port != 0 && close(fd) == 0;
    }
    int next = dup(1);
    print("succeeded %ld of %ld, next descriptor %d\n", succeeded, rounds, next);
    return succeeded == rounds ? 0 : 1;
}

int main(int count, char **arguments) {
    if (count < 3)
        return 2;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].name, arguments[1]) == 0) {
            ways[i].go();
            int status = bind_in_loop(atol(arguments[2]));
            if (count > 3)
                status |= system(arguments[3]);
            return status;
        }
    return 2;
}
