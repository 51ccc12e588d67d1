/* Executes a command on a kernel that seems to have no IP_LOCAL_PORT_RANGE, as before Linux 6.3: a
 * seccomp filter answers ENOPROTOOPT where it is set. It must come before `run`: a program that
 * puts a filter on itself below it is let alone.
 *
 * without_port_range COMMAND [ARGUMENT...] */
#include "tests/guests/sandbox_filter.h"

enum { LOCAL_PORT_RANGE = 51 };

int main(int argc, char **argv) {
    const struct sock_filter filter[] = {FILTER_LOAD(nr),
                                         FILTER_UNLESS(SYS_setsockopt, 5),
                                         FILTER_LOAD(args[1]),
                                         FILTER_UNLESS(0 /* IPPROTO_IP */, 3),
                                         FILTER_LOAD(args[2]),
                                         FILTER_UNLESS(LOCAL_PORT_RANGE, 1),
                                         FILTER_RETURN(SECCOMP_RET_ERRNO | ENOPROTOOPT),
                                         FILTER_RETURN(SECCOMP_RET_ALLOW)};
    (void)argc;
    return filter_surround(filter, sizeof filter / sizeof *filter, argv + 1);
}
