/* Seccomp filters for the guests that sandbox themselves. */
#ifndef TESTS_SANDBOX_FILTER_H
#define TESTS_SANDBOX_FILTER_H

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILTER_LOAD(field)                                                                         \
    ((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field)))
#define FILTER_RETURN(action) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (action)))
#define FILTER_UNLESS(value, skip)                                                                 \
    ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip)))

enum { FILTER_MOST = 128 };

/* What the program below makes itself passes, all else meets the action. */
__attribute__((unused)) static unsigned short
filter_allow(struct sock_filter *filter, const short *calls, size_t count, unsigned action) {
    unsigned short at = 0;
    filter[at++] = FILTER_LOAD(nr);
    for (size_t i = 0; i < count; i++) {
        filter[at++] = FILTER_UNLESS((unsigned)calls[i], 1);
        filter[at++] = FILTER_RETURN(SECCOMP_RET_ALLOW);
    }
    filter[at++] = FILTER_RETURN(action);
    return at;
}

/* What neither these programs nor the loader makes meets the action: calls that a library in the
 * guest might want to add. A file may not be opened for writing. */
__attribute__((unused)) static unsigned short filter_deny(struct sock_filter *filter,
                                                          unsigned action) {
    static const short calls[] = {SYS_getsockopt,
                                  SYS_getpeername,
                                  SYS_getpid,
                                  SYS_getppid,
                                  SYS_gettid,
                                  SYS_setfsuid,
                                  SYS_process_vm_readv,
                                  SYS_mremap,
                                  SYS_nanosleep,
                                  SYS_faccessat,
                                  SYS_readlinkat,
                                  SYS_getdents64,
                                  SYS_prctl,
                                  SYS_pipe2,
                                  SYS_sendmsg,
                                  SYS_geteuid,
                                  SYS_clock_gettime,
                                  SYS_getcwd,
                                  439 /* faccessat2 */};
    unsigned short at = 0;
    filter[at++] = FILTER_LOAD(nr);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        filter[at++] = FILTER_UNLESS((unsigned)calls[i], 1);
        filter[at++] = FILTER_RETURN(action);
    }
    filter[at++] = FILTER_UNLESS(SYS_openat, 3);
    filter[at++] = FILTER_LOAD(args[2]);
    filter[at++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR, 0, 1);
    filter[at++] = FILTER_RETURN(action);
    filter[at++] = FILTER_RETURN(SECCOMP_RET_ALLOW);
    return at;
}

/* Takes the filter and becomes the command, as a container does. Returns only where that fails. */
__attribute__((unused)) static int filter_surround(const struct sock_filter *filter, size_t count,
                                                   char **command) {
    const struct sock_fprog program = {(unsigned short)count, (struct sock_filter *)(size_t)filter};
    if (command[0] == NULL || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        perror("filter");
        return 2;
    }
    execvp(command[0], command);
    perror(command[0]);
    return 2;
}

#endif
