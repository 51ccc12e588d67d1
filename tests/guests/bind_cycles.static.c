/* Makes a socket, binds it to port 0, reads the port and closes it, so many times; prints the
 * nanoseconds that one such cycle took. What sees a static program is measured by it
 * (tests/bench/notified.py).
 *
 *   bind_cycles COUNT
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WARM_UP = 20 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void cycle(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0 || address.sin_port == 0) {
        perror("cycle");
        exit(1);
    }
    close(fd);
}

int main(int count, char **arguments) {
    int cycles = count > 1 ? atoi(arguments[1]) : 0;
    if (cycles < 1)
        return 2;
    for (int i = 0; i < WARM_UP; i++)
        cycle();
    double begin = now();
    for (int i = 0; i < cycles; i++)
        cycle();
    printf("%.0f\n", (now() - begin) / cycles);
    return 0;
}
