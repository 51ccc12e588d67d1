/* Executes a program as in a container by default (profiles/seccomp/default.json of Docker): what
 * takes CAP_SYS_PTRACE there is refused, and that capability and CAP_SYS_ADMIN are gone. Needs
 * root.
 *
 *   contained COMMAND...
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REFUSE(number)                                                                             \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),                                             \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static int refuse(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        REFUSE(SYS_pidfd_getfd),
        REFUSE(SYS_process_vm_readv),
        REFUSE(SYS_process_vm_writev),
        REFUSE(SYS_ptrace),
        REFUSE(SYS_kcmp),
        REFUSE(SYS_bpf),
        REFUSE(SYS_perf_event_open),
        REFUSE(SYS_unshare),
        REFUSE(SYS_setns),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static int drop_capabilities(void) {
    static const unsigned gone[] = {CAP_SYS_PTRACE,   CAP_SYS_ADMIN, CAP_NET_ADMIN,
                                    CAP_SYS_RESOURCE, CAP_BPF,       CAP_PERFMON};
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0)
        return -1;
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        uint32_t bit = ~(UINT32_C(1) << gone[i] % 32);
        prctl(PR_CAPBSET_DROP, gone[i], 0, 0, 0);
        data[gone[i] / 32].effective &= bit;
        data[gone[i] / 32].permitted &= bit;
        data[gone[i] / 32].inheritable &= bit;
    }
    return (int)syscall(SYS_capset, &header, data);
}

int main(int count, char **arguments) {
    if (count < 2)
        return 2;
    if (refuse() != 0 || drop_capabilities() != 0) {
        perror("contained");
        return 77;
    }
    execvp(arguments[1], arguments + 1);
    perror(arguments[1]);
    return 127;
}
