/* A blind spot that only says what is missing leaves the reader alone with it. */
#include "harness/base/remedies.h"

#include <stddef.h>

#include "shim/shared/trace_format.h"

static const char by_ebpf[] = "--capture=ebpf as root";

/* Without the other means; with notifications of seccomp; with eBPF: NULL where these see it, or
 * cannot. */
static const struct {
    const char *alone, *with_seccomp, *with_ebpf;
} remedies[] = {
    [PW_BLIND_STATIC] = {"--capture=seccomp, or --capture=ebpf as root", by_ebpf, NULL},
    [PW_BLIND_ARCHITECTURE] = {"--capture=seccomp, or --capture=ebpf as root", by_ebpf, NULL},
    [PW_BLIND_OWN_CALLS] = {"--capture=seccomp, or --capture=ebpf as root", by_ebpf, NULL},
    [PW_BLIND_SETUID] = {by_ebpf, by_ebpf, NULL},
    [PW_BLIND_NO_ACCESS] = {"--shared", "--shared", "--shared"},
    [PW_BLIND_UNREACHABLE] = {by_ebpf, by_ebpf, NULL},
    [PW_BLIND_UNREADABLE] = {by_ebpf, by_ebpf, NULL},
    [PW_BLIND_UNSEEN] = {by_ebpf, by_ebpf, NULL},
    [PW_BLIND_SANDBOXED] = {by_ebpf, by_ebpf, NULL},
    [PW_BLIND_NAMESPACE] = {by_ebpf, by_ebpf, NULL},
    [PW_BLIND_NOT_FOLLOWED] = {"leave --no-follow out", "leave --no-follow out",
                               "leave --no-follow out"},
};

const char *remedy_of_blind_spot(unsigned reason, unsigned capture) {
    if (reason == PW_BLIND_CONTAINER)
        return (capture & PW_CAPTURE_HOST) != 0
                   ? NULL
                   : "--capture=host as root, or run portwitness in the container";
    if (reason >= sizeof remedies / sizeof *remedies)
        return NULL;
    if ((capture & PW_CAPTURE_KERNEL) != 0)
        return remedies[reason].with_ebpf;
    return (capture & PW_CAPTURE_SECCOMP) != 0 ? remedies[reason].with_seccomp
                                               : remedies[reason].alone;
}
