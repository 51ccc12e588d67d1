/* Binds and listens on each port that it is given, as a server with SO_REUSEADDR, all at once.
 * Prints how many somebody else had. A static program, which no preload reaches. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
    int lost = 0;
    for (int i = 1; i < argc; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                      .sin_port = htons((in_port_t)atoi(argv[i]))};
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) != 0 ||
            bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 16) != 0)
            lost++;
    }
    printf("lost %d of %d\n", lost, argc - 1);
    return lost != 0;
}
