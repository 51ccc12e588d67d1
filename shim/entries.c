/*
 * The exported entries, made from calls.def. An entry takes the return address, which only it can
 * know, and passes on to call_NAME.
 */
#include <stdarg.h>
#include <string.h>

#include "shim/real.h"
#include "shim/socket/descriptors.h"
#include "shim/start.h"

#define EXPORTED __attribute__((visibility("default")))
#define SITE __builtin_return_address(0)

/* A call may come before any constructor has run. */
#define BE_STARTED(name)                                                                           \
    if (__builtin_expect(real.name == NULL, 0))                                                    \
    shim_prepare()

/* The entries have names of their own in C and the wrapped name as symbol, so that the system's
 * prototypes (transparent unions, nonnull and noreturn attributes) do not clash with them. */
#define CALL(number, result, name, parameters, arguments)                                          \
    EXPORTED result entry_##name parameters __asm__(#name);                                        \
    result entry_##name parameters {                                                               \
        BE_STARTED(name);                                                                          \
        return call_##name(UNWRAP arguments, SITE);                                                \
    }
#define CALL_PLAIN(number, result, name)                                                           \
    EXPORTED result entry_##name(void) __asm__(#name);                                             \
    result entry_##name(void) {                                                                    \
        BE_STARTED(name);                                                                          \
        return call_##name(SITE);                                                                  \
    }
#define CALL_VOID(number, name, parameters, arguments)                                             \
    EXPORTED void entry_##name parameters __asm__(#name);                                          \
    void entry_##name parameters {                                                                 \
        BE_STARTED(name);                                                                          \
        call_##name(UNWRAP arguments, SITE);                                                       \
    }
#define CALL_OWN(number, result, name, parameters)
#include "shim/shared/calls.def"

EXPORTED ssize_t entry_sendto(int fd, const void *data, size_t size, int flags,
                              const struct sockaddr *address, socklen_t length) __asm__("sendto");
ssize_t entry_sendto(int fd, const void *data, size_t size, int flags,
                     const struct sockaddr *address, socklen_t length) {
    BE_STARTED(sendto);
    if (!descriptor_may_bind_by_send(fd, flags))
        return real.sendto(fd, data, size, flags, address, length);
    return call_sendto(fd, data, size, flags, address, length, SITE);
}

/* The variadic ones. Arguments that were not given are read as garbage and passed on unread, as the
 * C library does itself. */
EXPORTED int entry_fcntl(int fd, int command, ...) __asm__("fcntl");
int entry_fcntl(int fd, int command, ...) {
    va_list list;
    va_start(list, command);
    long argument = va_arg(list, long);
    va_end(list);
    BE_STARTED(fcntl);
    return call_fcntl(fd, command, argument, real.fcntl, NUMBER_fcntl, SITE);
}

EXPORTED int entry_fcntl64(int fd, int command, ...) __asm__("fcntl64");
int entry_fcntl64(int fd, int command, ...) {
    va_list list;
    va_start(list, command);
    long argument = va_arg(list, long);
    va_end(list);
    BE_STARTED(fcntl64);
    return call_fcntl(fd, command, argument, real.fcntl64, NUMBER_fcntl64, SITE);
}

EXPORTED int entry_prctl(int option, ...) __asm__("prctl");
int entry_prctl(int option, ...) {
    long a[4];
    va_list list;
    va_start(list, option);
    for (int i = 0; i < 4; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    BE_STARTED(prctl);
    return call_prctl(option, a, SITE);
}

static size_t count_arguments(va_list list) {
    size_t count = 1;
    while (va_arg(list, const char *) != NULL)
        count++;
    return count;
}

static void gather_arguments(char **argv, const char *first, size_t count, va_list list) {
    memcpy(argv, &first, sizeof first);
    for (size_t i = 1; i <= count; i++)
        argv[i] = va_arg(list, char *);
}

/* Expands to the argument vector of an execl-like call on the stack. */
#define GATHER(argv, first)                                                                        \
    va_list list;                                                                                  \
    va_start(list, first);                                                                         \
    size_t count = first == NULL ? 0 : count_arguments(list);                                      \
    va_end(list);                                                                                  \
    char *argv[count + 1];                                                                         \
    va_start(list, first);                                                                         \
    if (count > 0)                                                                                 \
        gather_arguments(argv, first, count, list);                                                \
    argv[count] = NULL

EXPORTED int entry_execl(const char *path, const char *argument, ...) __asm__("execl");
int entry_execl(const char *path, const char *argument, ...) {
    GATHER(argv, argument);
    va_end(list);
    BE_STARTED(execv);
    return call_execv(path, argv, SITE);
}

EXPORTED int entry_execlp(const char *file, const char *argument, ...) __asm__("execlp");
int entry_execlp(const char *file, const char *argument, ...) {
    GATHER(argv, argument);
    va_end(list);
    BE_STARTED(execvp);
    return call_execvp(file, argv, SITE);
}

EXPORTED int entry_execle(const char *path, const char *argument, ...) __asm__("execle");
int entry_execle(const char *path, const char *argument, ...) {
    GATHER(argv, argument);
    char *const *envp = va_arg(list, char *const *);
    va_end(list);
    BE_STARTED(execve);
    return call_execve(path, argv, envp, SITE);
}
