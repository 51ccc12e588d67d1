/*
 * System calls without libc: no errno, no cancellation point, no interposed symbol. The shim must
 * not change the guest's errno and must not call what it wraps.
 *
 * In a process whose own seccomp filter may end it for a call that it did not ask for, none is
 * made: the answer is -EPERM (sandbox.h). Every caller must get along with that.
 */
#ifndef PORTWITNESS_SHARED_RAW_SYSCALL_H
#define PORTWITNESS_SHARED_RAW_SYSCALL_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>

/* For the whole process, from the least on. */
enum raw_forbidden {
    RAW_ALLOWED = 0,
    RAW_ABOUT_TO = 1,  /* a thread is about to put a filter on all, if the kernel takes it */
    RAW_ELSEWHERE = 2, /* a thread has a filter, and so have those that it makes */
    RAW_EVERYWHERE = 3 /* each thread has one */
};
extern _Atomic int raw_syscalls_forbidden __attribute__((visibility("hidden")));

/* For this thread alone: it has a filter, or is a vfork child, whose memory is its parent's. */
extern _Thread_local bool raw_syscalls_forbidden_here __attribute__((visibility("hidden")));

/* This thread has changed a socket of the guest's for a moment and must be able to change it back;
 * holds until the thread itself has a filter. */
extern _Thread_local bool raw_syscalls_pledged_here __attribute__((visibility("hidden")));

static inline bool raw_syscalls_are_forbidden(void) {
    int level = atomic_load_explicit(&raw_syscalls_forbidden, memory_order_relaxed);
    if (__builtin_expect(level == RAW_ALLOWED && !raw_syscalls_forbidden_here, 1))
        return false;
    return raw_syscalls_forbidden_here || !raw_syscalls_pledged_here || level == RAW_EVERYWHERE;
}

/* Returns the kernel's answer: a value, or a negative errno. */
static inline long raw_syscall6(long number, long a, long b, long c, long d, long e, long f) {
    if (__builtin_expect(raw_syscalls_are_forbidden(), 0))
        return -EPERM;
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
#else
#error "portwitness supports x86-64 and aarch64"
#endif
}

static inline long raw_syscall3(long number, long a, long b, long c) {
    return raw_syscall6(number, a, b, c, 0, 0, 0);
}

static inline long raw_syscall4(long number, long a, long b, long c, long d) {
    return raw_syscall6(number, a, b, c, d, 0, 0);
}

/* Pointers as system call arguments. */
#define RAW(pointer) ((long)(pointer))

#endif
