/* The filter under which programs are put that the shim cannot enter: their bind, listen, connect
 * and getsockname are notified (seccomp_unotify(2)), and landlock_restrict_self, after which the
 * kernel alone knows what they may bind. All else is let through. */
#ifndef PORTWITNESS_SHARED_NOTIFY_FILTER_H
#define PORTWITNESS_SHARED_NOTIFY_FILTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

#ifndef SYS_landlock_restrict_self
#define SYS_landlock_restrict_self 446 /* Linux 5.13 */
#endif

/* How a program that the shim is in is let through below such a filter. */
struct notify_pass {
    /* bind, listen and getsockname take no fifth and sixth argument; those that carry these are let
     * through (r8 and r9, x4 and x5). */
    uint64_t token[2];
    /* connect is let through whose address lies in these 64 KiB, whose last 16 bits are 0. */
    uint64_t region;
};

/* Puts the calling thread under the filter. Returns its listener (close-on-exec), or -errno:
 * EBUSY where a filter with a listener is there already, EACCES where it takes CAP_SYS_ADMIN or
 * no_new_privs, which is not set here. Async-signal-safe, raw system calls only. */
long notify_filter_install(const struct notify_pass *pass);

/* Whether the calling thread is under such a filter, of this or another `run`. Asks with a call
 * that every C library's loader makes itself and that fails without it (set_robust_list(2) with a
 * wrong length), so that no other filter can mind. */
bool notify_filter_is_on(void);

#endif
