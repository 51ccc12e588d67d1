/* A blind spot that only says what is missing leaves the reader alone with it. */
#include "harness/base/remedies.h"

#include <stddef.h>

#include "shim/shared/notify_format.h"
#include "shim/shared/trace_format.h"

static const char by_ebpf[] = "--capture=ebpf as root";
static const char by_either[] = "--capture=seccomp, or --capture=ebpf as root";
/* What eBPF sees anywhere it misses only where it has left the command's control group. */
static const char by_host[] = "--capture=host";

/* Without the other means; with notifications of seccomp; with eBPF: NULL where these cannot see
 * it. */
static const struct {
    const char *alone, *with_seccomp, *with_ebpf;
} remedies[] = {
    [PW_BLIND_STATIC] = {by_either, by_ebpf, by_host},
    [PW_BLIND_ARCHITECTURE] = {by_either, by_ebpf, by_host},
    [PW_BLIND_OWN_CALLS] = {by_either, by_ebpf, by_host},
    [PW_BLIND_SETUID] = {by_ebpf, by_ebpf, by_host},
    [PW_BLIND_NO_ACCESS] = {"--shared", "--shared", "--shared"},
    [PW_BLIND_UNREACHABLE] = {by_ebpf, by_ebpf, by_host},
    [PW_BLIND_UNREADABLE] = {by_ebpf, by_ebpf, by_host},
    [PW_BLIND_UNSEEN] = {by_ebpf, by_ebpf, NULL},
    [PW_BLIND_SANDBOXED] = {by_ebpf, by_ebpf, NULL},
    [PW_BLIND_NAMESPACE] = {by_ebpf, by_ebpf, NULL},
    [PW_BLIND_NOT_FOLLOWED] = {"leave --no-follow out", "leave --no-follow out",
                               "leave --no-follow out"},
    [PW_BLIND_UNEXAMINED] = {by_ebpf, by_ebpf, by_host},
    [PW_BLIND_OTHER_TRACE] = {by_ebpf, by_ebpf, by_host},
    [PW_BLIND_DEPARTED] = {NULL, NULL, by_host},
};

const char *remedy_of_blind_spot(unsigned reason, unsigned capture) {
    if (reason == PW_BLIND_CONTAINER)
        return (capture & PW_CAPTURE_HOST) != 0
                   ? NULL
                   : "--capture=host as root, or run portwitness in the container";
    if (reason >= sizeof remedies / sizeof *remedies)
        return NULL;
    const char *with_ebpf = remedies[reason].with_ebpf;
    if ((capture & PW_CAPTURE_KERNEL) != 0)
        return with_ebpf == by_host && (capture & PW_CAPTURE_HOST) != 0 ? NULL : with_ebpf;
    return (capture & PW_CAPTURE_SECCOMP) != 0 ? remedies[reason].with_seccomp
                                               : remedies[reason].alone;
}

const char *remedy_of_refusal(unsigned what) {
    static const char *const of[PW_NOTIFY_COUNTS] = {
        [PW_NOTIFY_NOT_TAKEN] = "in a container --cap-add SYS_PTRACE allows it",
        [PW_NOTIFY_OTHER_USER] = "--capture=ebpf as root",
        [PW_NOTIFY_OTHER_PIDS] = "--capture=ebpf as root, or run portwitness in the namespace",
        [PW_NOTIFY_NO_PROC] = "--capture=ebpf as root, or mount /proc where it runs",
        [PW_NOTIFY_NO_ROOM_LEFT] = "a higher limit (ulimit -n) gives portwitness more",
        [PW_NOTIFY_FULL] = "--capture=ebpf as root",
        [PW_NOTIFY_NOT_ALLOWED] = "--capture=ebpf as root",
    };
    return what < PW_NOTIFY_COUNTS ? of[what] : NULL;
}
