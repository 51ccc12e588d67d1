/* Picks a number by binding port 0, releases it, and binds it: the race, in functions with names.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static __attribute__((noinline)) int bind_port(unsigned port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int result = bind(fd, (struct sockaddr *)&address, sizeof address); /* the call that binds */
    if (result != 0)
        perror("bind");
    return fd;
}

static __attribute__((noinline)) unsigned pick_port(void) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int fd = bind_port(0);
    getsockname(fd, (struct sockaddr *)&address, &length);
    close(fd);
    return ntohs(address.sin_port);
}

static __attribute__((noinline)) int start_server(unsigned port) {
    int fd = bind_port(port);
    int result = listen(fd, 5);
    close(fd);
    return result;
}

int main(void) {
    unsigned port = pick_port();
    return start_server(port) == 0 ? 0 : 1;
}
