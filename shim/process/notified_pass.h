/* Below a program that is under the filter of notify_filter.h the shim's processes are under it
 * too; and where `run` has eBPF programs, these see the shim's processes as all others. What the
 * shim records itself it makes with the run's tokens, so that nobody is notified and waits, and
 * nothing is said twice; what it does not record is notified and seen as any other call. */
#ifndef PORTWITNESS_PROCESS_NOTIFIED_PASS_H
#define PORTWITNESS_PROCESS_NOTIFIED_PASS_H

#include <sys/socket.h>

#include "shim/real.h"
#include "shim/shared/raw_syscall.h"

/* 0 where there is neither. */
struct notified_pass {
    long token[2];
    char *region; /* addresses from here on let a connect through; NULL: none could be had */
};
extern struct notified_pass notified_pass __attribute__((visibility("hidden")));

/* When the trace is attached: finds out whether this program is under the filter. */
void notified_pass_begin(void);

/* The second token, whose upper half says to the eBPF programs that the record of the call has all
 * that there is to say. It has not where the kernel may not be asked; the filter lets pass both. */
static inline long pass_second(void) {
    return __builtin_expect(raw_syscalls_are_forbidden(), 0) ? notified_pass.token[1] & 0xffffffffL
                                                             : notified_pass.token[1];
}

/* What a program does past us next must not be taken for ours: its system call may leave these
 * registers as they are. */
static inline void pass_end(void) {
#if defined(__x86_64__)
    __asm__ volatile("xor %%r8d, %%r8d\n\txor %%r9d, %%r9d" ::: "r8", "r9", "cc");
#elif defined(__aarch64__)
    __asm__ volatile("mov x4, xzr\n\tmov x5, xzr" ::: "x4", "x5");
#endif
}

/* The fifth and sixth argument stand in registers that bind, listen and getsockname of libc leave
 * alone (r8 and r9, x4 and x5). A sanitizer in between may lose them; then the call is notified. */
static inline int pass_bind(int fd, const struct sockaddr *address, socklen_t length) {
    typedef int with_tokens(int, const struct sockaddr *, socklen_t, long, long, long);
    int result = ((with_tokens *)(void (*)(void))real.bind)(fd, address, length, 0,
                                                            notified_pass.token[0], pass_second());
    pass_end();
    return result;
}

static inline int pass_listen(int fd, int backlog) {
    typedef int with_tokens(int, int, long, long, long, long);
    int result = ((with_tokens *)(void (*)(void))real.listen)(
        fd, backlog, 0, 0, notified_pass.token[0], pass_second());
    pass_end();
    return result;
}

/* connect has no argument that could carry a token, so its address is copied to where no other
 * program has one. Where that cannot be, the call is notified. A cancellation point. */
int pass_connect(int fd, const struct sockaddr *address, socklen_t length)
    __attribute__((visibility("hidden")));

static inline int pass_getsockname(int fd, struct sockaddr *address, socklen_t *length) {
    typedef int with_tokens(int, struct sockaddr *, socklen_t *, long, long, long);
    int result = ((with_tokens *)(void (*)(void))real.getsockname)(
        fd, address, length, 0, notified_pass.token[0], pass_second());
    pass_end();
    return result;
}

#endif
