/* Pointers to the next definition of each wrapped call (RTLD_NEXT), so that other preloads and
 * sanitizers stay in the chain. Made from calls.def. */
#ifndef PORTWITNESS_REAL_H
#define PORTWITNESS_REAL_H

#include <netinet/in.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define CALL(number, result, name, parameters, arguments) result(*name) parameters;
#define CALL_PLAIN(number, result, name) result (*name)(void);
#define CALL_VOID(number, name, parameters, arguments) void(*name) parameters;
#define CALL_OWN(number, result, name, parameters) result(*name) parameters;
struct real_calls {
#include "shim/shared/calls.def"
};
#undef CALL
#undef CALL_PLAIN
#undef CALL_VOID
#undef CALL_OWN

/* The number of each row, as stored in pw_start.call. */
#define CALL(number, result, name, parameters, arguments) NUMBER_##name = number,
#define CALL_PLAIN(number, result, name) NUMBER_##name = number,
#define CALL_VOID(number, name, parameters, arguments) NUMBER_##name = number,
#define CALL_OWN(number, result, name, parameters) NUMBER_##name = number,
enum call_number {
#include "shim/shared/calls.def"
};
#undef CALL
#undef CALL_PLAIN
#undef CALL_VOID
#undef CALL_OWN

extern struct real_calls real;

/* The logic of each generated entry: its own arguments and the return address in the guest. */
#define UNWRAP(...) __VA_ARGS__
#define CALL(number, result, name, parameters, arguments)                                          \
    result call_##name(UNWRAP parameters, const void *site);
#define CALL_PLAIN(number, result, name) result call_##name(const void *site);
#define CALL_VOID(number, name, parameters, arguments)                                             \
    void call_##name(UNWRAP parameters, const void *site);
#define CALL_OWN(number, result, name, parameters)
#include "shim/shared/calls.def"
#undef CALL
#undef CALL_PLAIN
#undef CALL_VOID
#undef CALL_OWN

/* The logic of both fcntl entries; `next` is the one to pass on to. */
int call_fcntl(int fd, int command, long argument, int (*next)(int, int, ...), int number,
               const void *site);

/* The logic of prctl, and of syscall(SYS_seccomp, ...). */
int call_prctl(int option, const long a[4], const void *site);
long call_seccomp(const long a[6], const void *site);

/* The logic of a sendto that may. */
ssize_t call_sendto(int fd, const void *data, size_t size, int flags,
                    const struct sockaddr *address, socklen_t length, const void *site);

/* close without being a cancellation point, as syscall(SYS_close) is none. */
int call_close_uncancelled(int fd, const void *site);

/* Looks every call up; done once by whoever comes first, the constructor as a rule. */
void real_resolve(void);

#endif
