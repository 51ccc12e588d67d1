/* Binds by libc, and right behind that by an instruction of its own that leaves in the registers
 * what the call before left there. Prints both ports. */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int port_of(int fd) {
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    return getsockname(fd, (struct sockaddr *)&address, &length) == 0 ? ntohs(address.sin_port)
                                                                      : -1;
}

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int first = socket(AF_INET, SOCK_STREAM, 0), second = socket(AF_INET, SOCK_STREAM, 0);
    long result = bind(first, (struct sockaddr *)&address, sizeof address);
    if (result != 0)
        return 1;
#if defined(__x86_64__)
    result = SYS_bind;
    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"((long)second), "S"(&address), "d"(sizeof address)
                     : "rcx", "r11", "memory");
#else
    result = syscall(SYS_bind, second, &address, sizeof address);
#endif
    if (result != 0)
        return 1;
    printf("%d %d\n", port_of(first), port_of(second));
    return 0;
}
