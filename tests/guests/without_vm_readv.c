/* Executes a command where process_vm_readv is forbidden, as container runtimes did: a seccomp
 * filter answers EPERM.
 *
 * without_vm_readv COMMAND [ARGUMENT...] */
#include "tests/guests/sandbox_filter.h"

int main(int argc, char **argv) {
    const struct sock_filter filter[] = {FILTER_LOAD(nr), FILTER_UNLESS(SYS_process_vm_readv, 1),
                                         FILTER_RETURN(SECCOMP_RET_ERRNO | EPERM),
                                         FILTER_RETURN(SECCOMP_RET_ALLOW)};
    (void)argc;
    return filter_surround(filter, sizeof filter / sizeof *filter, argv + 1);
}
