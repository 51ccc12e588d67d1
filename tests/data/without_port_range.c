/* Executes a command on a kernel that seems to have no IP_LOCAL_PORT_RANGE, as before Linux 6.3: a
 * seccomp filter answers ENOPROTOOPT where it is set. It must come before `run`: a program that
 * puts a filter on itself below it is let alone.
 *
 * without_port_range COMMAND [ARGUMENT...] */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOCAL_PORT_RANGE = 51 };

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)

int main(int argc, char **argv) {
    struct sock_filter filter[] = {LOAD(nr),
                                   UNLESS(SYS_setsockopt, 5),
                                   LOAD(args[1]),
                                   UNLESS(0 /* IPPROTO_IP */, 3),
                                   LOAD(args[2]),
                                   UNLESS(LOCAL_PORT_RANGE, 1),
                                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOPROTOOPT),
                                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        perror("without_port_range");
        return 2;
    }
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    return 2;
}
