/* Users that do what most test suites do: ask for a port, read its number, release it, and bind the
 * number a little later.
 *
 * probe_users USERS TIMES
 *
 * Prints how many of the numbers were somebody else's by then. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WINDOW_NS = 2000000 };

static void pause_at_random(void) {
    const struct timespec pause = {.tv_nsec = rand() % WINDOW_NS};
    nanosleep(&pause, NULL);
}

static int probe(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        exit(2);
    close(fd);
    pause_at_random();
    fd = socket(AF_INET, SOCK_STREAM, 0);
    int lost = bind(fd, (struct sockaddr *)&address, length) != 0;
    pause_at_random();
    close(fd);
    return lost;
}

int main(int argc, char **argv) {
    int users = argc > 2 ? atoi(argv[1]) : 0, times = argc > 2 ? atoi(argv[2]) : 0;
    int results[2];
    long lost = 0;
    if (pipe(results) != 0)
        return 2;
    for (int user = 0; user < users; user++) {
        if (fork() != 0)
            continue;
        int own = 0;
        srand((unsigned)user);
        for (int i = 0; i < times; i++)
            own += probe();
        if (write(results[1], &own, sizeof own) != sizeof own)
            _exit(2);
        _exit(0);
    }
    for (int user = 0; user < users; user++) {
        int own;
        if (read(results[0], &own, sizeof own) != sizeof own)
            return 2;
        lost += own;
    }
    while (wait(NULL) > 0)
        ;
    printf("lost %ld of %d\n", lost, users * times);
    return 0;
}
