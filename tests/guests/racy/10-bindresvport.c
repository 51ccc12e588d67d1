/* picks with bindresvport, reads, closes, another binds that, then by number fails */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int bindresvport(int, struct sockaddr_in *);
int main(void) {
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bindresvport(fd, NULL))
        return perror("resv"), 1;
    getsockname(fd, (void *)&a, &n);
    close(fd);
    struct sockaddr_in b = a;
    b.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fork() == 0) {
        int t = socket(AF_INET, SOCK_STREAM, 0);
        if (bind(t, (void *)&b, sizeof b) == 0)
            listen(t, 1), sleep(1);
        _exit(0);
    }
    usleep(300000);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    printf("%s\n", bind(fd, (void *)&b, sizeof b) ? strerror(errno) : "bound");
    return 0;
}
