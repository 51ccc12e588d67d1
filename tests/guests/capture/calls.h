/* The calls of ports.c: libc's, or with RAW_CALLS the same as instructions of this program, which
 * no library in the process can come between. Results are the kernel's: -errno where a call fails.
 */
#ifndef TESTS_CAPTURE_CALLS_H
#define TESTS_CAPTURE_CALLS_H

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef RAW_CALLS

#include <sys/syscall.h>

#if defined(__x86_64__)
static long raw_call(long number, long first, long second, long third) {
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static long raw_call(long number, long first, long second, long third) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = first;
    register long x1 __asm__("x1") = second;
    register long x2 __asm__("x2") = third;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}
#else
#error "the instruction of this machine is not known"
#endif

#define CALL(name, first, second, third)                                                           \
    raw_call(SYS_##name, (long)(first), (long)(second), (long)(third))

#else

static inline long call_result(long result) { return result < 0 ? -errno : result; }

#define CALL_close(first, second, third) close(first)
#define CALL_listen(first, second, third) listen(first, second)
#define CALL_socket(first, second, third) socket(first, second, third)
#define CALL_bind(first, second, third) bind(first, second, third)
#define CALL_connect(first, second, third) connect(first, second, third)
#define CALL_getsockname(first, second, third) getsockname(first, second, third)
#define CALL(name, first, second, third) call_result(CALL_##name(first, second, third))

#endif
#endif
