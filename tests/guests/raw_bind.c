/* Binds 127.0.0.1:PORT by an instruction of its own, past every preloaded library; prints ok or
 * EADDRINUSE. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "shim/shared/raw_syscall.h"

_Atomic int raw_syscalls_forbidden;
_Thread_local bool raw_syscalls_forbidden_here, raw_syscalls_pledged_here;

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((in_port_t)(argc > 1 ? atoi(argv[1]) : 0))};
    long fd = raw_syscall3(SYS_socket, AF_INET, SOCK_STREAM, 0);
    long result = raw_syscall3(SYS_bind, fd, RAW(&address), sizeof address);
    puts(result == 0 ? "ok" : result == -EADDRINUSE ? "EADDRINUSE" : "another error");
    return 0;
}
