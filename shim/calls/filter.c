/* prctl and seccomp(2): a seccomp filter that the guest puts on itself. From then on it is let
 * alone (sandbox.h). Programs ask what the kernel can do by a filter of NULL, which it never takes.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "shim/process/sandbox.h"
#include "shim/real.h"

#ifndef SECCOMP_FILTER_FLAG_NEW_LISTENER
#define SECCOMP_FILTER_FLAG_NEW_LISTENER (1UL << 3)
#endif

int call_prctl(int option, const long a[4], const void *site) {
    struct sandbox_change change;
    if (option != PR_SET_SECCOMP || (a[0] == SECCOMP_MODE_FILTER && a[1] == 0))
        return real.prctl(option, a[0], a[1], a[2], a[3]);
    int saved = errno;
    sandbox_before_filter(&change, false);
    errno = saved;
    int result = real.prctl(option, a[0], a[1], a[2], a[3]);
    int error = errno;
    sandbox_after_filter(&change, result == 0, NUMBER_prctl, site);
    errno = error;
    return result;
}

/* What a new filter answers: 0, or the descriptor of its listener; with TSYNC also the id of a
 * thread that could not have it. */
static bool is_installed(long result, unsigned long flags) {
    return result == 0 || (result > 0 && (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0);
}

long call_seccomp(const long a[6], const void *site) {
    struct sandbox_change change;
    unsigned operation = (unsigned)a[0];
    unsigned long flags = (unsigned long)a[1];
    bool sets_filter = operation == SECCOMP_SET_MODE_FILTER && a[2] != 0;
    if (operation != SECCOMP_SET_MODE_STRICT && !sets_filter)
        return real.syscall(SYS_seccomp, a[0], a[1], a[2], a[3], a[4], a[5]);
    int saved = errno;
    sandbox_before_filter(&change, (flags & SECCOMP_FILTER_FLAG_TSYNC) != 0);
    errno = saved;
    long result = real.syscall(SYS_seccomp, a[0], a[1], a[2], a[3], a[4], a[5]);
    int error = errno;
    sandbox_after_filter(&change, is_installed(result, flags), NUMBER_syscall, site);
    errno = error;
    return result;
}
