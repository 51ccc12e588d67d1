/*
 * Asks for any port on 127.0.0.1, reads its number, closes it, waits a moment and binds the number,
 * so many times.
 *
 *   picker tcp|udp TIMES MICROSECONDS
 *
 * Prints how often the number was somebody else's by then. Where others have all ports, it asks
 * again after a millisecond, a thousand times for one number at most, and prints how often in all.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { AGAIN_NS = 1000000, AGAIN_MOST = 1000 };

static long asked_again;

static void must(int condition, const char *what) {
    if (condition)
        return;
    perror(what);
    exit(1);
}

/* false: not in so many tries. */
static int bind_any(int fd, const struct sockaddr_in *name) {
    const struct timespec moment = {.tv_nsec = AGAIN_NS};
    for (int tries = 0; tries <= AGAIN_MOST; tries++) {
        if (bind(fd, (const struct sockaddr *)name, sizeof *name) == 0)
            return 1;
        if (errno != EADDRINUSE)
            return 0;
        asked_again++;
        nanosleep(&moment, NULL);
    }
    errno = EADDRINUSE;
    return 0;
}

static unsigned short pick(int type) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    int fd = socket(AF_INET, type, 0);
    must(fd >= 0, "socket");
    must(bind_any(fd, &name), "bind to port 0");
    must(getsockname(fd, (struct sockaddr *)&name, &length) == 0, "getsockname");
    close(fd);
    return name.sin_port;
}

/* As a server does. */
static int is_lost(int type, unsigned short port) {
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type, 0);
    must(fd >= 0, "socket");
    int bad = bind(fd, (struct sockaddr *)&name, sizeof name) != 0 ||
              (type == SOCK_STREAM && listen(fd, 1) != 0);
    must(!bad || errno == EADDRINUSE, "bind or listen");
    close(fd);
    return bad;
}

int main(int argc, char **argv) {
    int times = argc == 4 ? atoi(argv[2]) : 0, lost = 0;
    const struct timespec moment = {.tv_nsec = argc == 4 ? atol(argv[3]) * 1000 : 0};
    if (times <= 0 || (strcmp(argv[1], "tcp") != 0 && strcmp(argv[1], "udp") != 0)) {
        fprintf(stderr, "usage: picker tcp|udp TIMES MICROSECONDS\n");
        return 2;
    }
    int type = strcmp(argv[1], "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
    for (int i = 0; i < times; i++) {
        unsigned short port = pick(type);
        nanosleep(&moment, NULL);
        lost += is_lost(type, port);
    }
    printf("lost %d of %d, asked again %ld\n", lost, times, asked_again);
    return 0;
}
