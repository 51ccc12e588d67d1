/* Below a program that is under the filter of notify_filter.h the shim's processes are under it
 * too. What they record themselves they make with the filter's tokens, so that nobody is notified
 * and waits; what they do not record is notified as any other call. */
#ifndef PORTWITNESS_PROCESS_NOTIFIED_PASS_H
#define PORTWITNESS_PROCESS_NOTIFIED_PASS_H

#include <sys/socket.h>

#include "shim/real.h"

/* 0 where there is no such filter. */
struct notified_pass {
    long token[2];
    char *region; /* addresses from here on let a connect through; NULL: none could be had */
};
extern struct notified_pass notified_pass __attribute__((visibility("hidden")));

/* When the trace is attached: finds out whether this program is under the filter. */
void notified_pass_begin(void);

/* The fifth and sixth argument stand in registers that bind, listen and getsockname of libc leave
 * alone (r8 and r9, x4 and x5). A sanitizer in between may lose them; then the call is notified. */
static inline int pass_bind(int fd, const struct sockaddr *address, socklen_t length) {
    typedef int with_tokens(int, const struct sockaddr *, socklen_t, long, long, long);
    return ((with_tokens *)(void (*)(void))real.bind)(
        fd, address, length, 0, notified_pass.token[0], notified_pass.token[1]);
}

static inline int pass_listen(int fd, int backlog) {
    typedef int with_tokens(int, int, long, long, long, long);
    return ((with_tokens *)(void (*)(void))real.listen)(fd, backlog, 0, 0, notified_pass.token[0],
                                                        notified_pass.token[1]);
}

/* connect has no argument that could carry a token, so its address is copied to where no other
 * program has one. Where that cannot be, the call is notified. A cancellation point. */
int pass_connect(int fd, const struct sockaddr *address, socklen_t length)
    __attribute__((visibility("hidden")));

static inline int pass_getsockname(int fd, struct sockaddr *address, socklen_t *length) {
    typedef int with_tokens(int, struct sockaddr *, socklen_t *, long, long, long);
    return ((with_tokens *)(void (*)(void))real.getsockname)(
        fd, address, length, 0, notified_pass.token[0], notified_pass.token[1]);
}

#endif
