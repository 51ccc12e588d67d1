/* one UDP socket reconnects many times, as libc resolvers do (RFC 3484 source selection by connect)
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    for (int i = 1; i < 200; i++) {
        struct sockaddr_in to = {.sin_family = AF_INET,
                                 .sin_port = htons(53),
                                 .sin_addr.s_addr = htonl(0x7f000000 + i)},
                           me;
        socklen_t n = sizeof me;
        connect(fd, (void *)&to, sizeof to);
        getsockname(fd, (void *)&me, &n);
        struct sockaddr none = {AF_UNSPEC};
        connect(fd, &none, sizeof none);
    }
    return 0;
}
