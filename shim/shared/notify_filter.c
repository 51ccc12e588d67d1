/*
 * Classic BPF by hand, since the shim can link no library for it. What comes of each number that is
 * not ours does not depend on arguments, so that the kernel remembers it and does not run the
 * filter for it (seccomp_cache_prepare in kernel/seccomp.c).
 */
#include "shim/shared/notify_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "shim/shared/raw_syscall.h"

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#else
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 6.0 */
#endif

/* An errno that no call answers, and the argument that it is asked for with. */
enum { ANSWER = 3951 };
#define QUESTION UINT64_C(0x706f727477697400)

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_LOW(n)                                                                                \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (n))
#define LOAD_HIGH(n)                                                                               \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (n) + 4)
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), yes, no)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define HIGH(value) ((uint64_t)(value) >> 32)

long notify_filter_install(const struct notify_pass *pass) {
    /* Jumps count from the next instruction. */
    struct sock_filter code[] = {
        /* 0 */ LOAD(arch),
        IF(OWN_ARCHITECTURE, 0, 25), /* to ALLOW */
        LOAD(nr),
        IF(SYS_bind, 6, 0),
        IF(SYS_listen, 5, 0),
        /* 5 */ IF(SYS_connect, 11, 0),
        IF(SYS_getsockname, 3, 0),
        IF(SYS_set_robust_list, 14, 0),
        IF(SYS_landlock_restrict_self, 19, 0),
        RETURN(SECCOMP_RET_ALLOW),
        /* 10: bind, listen, getsockname */ LOAD_LOW(4),
        IF(pass->token[0], 0, 16),
        LOAD_HIGH(4),
        IF(HIGH(pass->token[0]), 0, 14),
        LOAD_LOW(5),
        /* 15: its upper half is for the eBPF programs */ IF(pass->token[1], 11, 12),
        RETURN(SECCOMP_RET_ALLOW),
        /* 17: connect */ LOAD_HIGH(1),
        IF(HIGH(pass->region), 0, 9),
        LOAD_LOW(1),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffff0000u),
        IF(pass->region & 0xffff0000u, 5, 6),
        /* 22: set_robust_list */ LOAD_LOW(0),
        IF(QUESTION, 0, 3),
        LOAD_HIGH(0),
        IF(HIGH(QUESTION), 0, 1),
        RETURN(SECCOMP_RET_ERRNO | ANSWER),
        RETURN(SECCOMP_RET_ALLOW),
        /* 28 */ RETURN(SECCOMP_RET_USER_NOTIF),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW |
                          SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    long answer = raw_syscall3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, (long)flags, RAW(&program));
    if (answer != -EINVAL)
        return answer;
    flags &= ~SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    return raw_syscall3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, (long)flags, RAW(&program));
}

bool notify_filter_is_on(void) {
    return raw_syscall3(SYS_set_robust_list, (long)QUESTION, 0, 0) == -ANSWER;
}
