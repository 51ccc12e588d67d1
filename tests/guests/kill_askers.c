/* Kills children that do nothing but ask for ports, by every call that can, each at a random
 * moment, and then asks itself. Were anybody held up by the dead, it would never come so far.
 *
 * kill_askers TIMES */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ASKERS = 3, ASKED_AFTERWARDS = 2000, LONGEST_NS = 3000000 };

static int ask(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in discard = address, local;
    socklen_t length = sizeof local;
    discard.sin_port = htons(9);
    int bound = socket(AF_INET, SOCK_STREAM, 0), listener = socket(AF_INET, SOCK_STREAM, 0);
    int connected = socket(AF_INET, SOCK_DGRAM, 0);
    int good = bind(bound, (struct sockaddr *)&address, sizeof address) == 0 &&
               getsockname(bound, (struct sockaddr *)&local, &length) == 0 &&
               listen(listener, 1) == 0 &&
               connect(connected, (struct sockaddr *)&discard, sizeof discard) == 0;
    close(bound);
    close(listener);
    close(connected);
    return good;
}

static pid_t start_asker(void) {
    pid_t child = fork();
    while (child == 0)
        if (!ask())
            _exit(1);
    return child;
}

int main(int argc, char **argv) {
    int times = argc > 1 ? atoi(argv[1]) : 0;
    int asked = 0;
    pid_t askers[ASKERS];
    srand(5);
    alarm(100);
    for (int i = 0; i < ASKERS; i++)
        askers[i] = start_asker();
    for (int i = 0; i < times; i++) {
        const struct timespec pause = {.tv_nsec = rand() % LONGEST_NS};
        int status;
        nanosleep(&pause, NULL);
        kill(askers[i % ASKERS], SIGKILL);
        if (waitpid(askers[i % ASKERS], &status, 0) < 0 || !WIFSIGNALED(status)) {
            printf("one gave up\n");
            return 1;
        }
        askers[i % ASKERS] = start_asker();
    }
    for (int i = 0; i < ASKED_AFTERWARDS; i++)
        asked += ask();
    for (int i = 0; i < ASKERS; i++) {
        kill(askers[i], SIGKILL);
        waitpid(askers[i], NULL, 0);
    }
    printf("killed %d, then %d of %d asked\n", times, asked, ASKED_AFTERWARDS);
    return 0;
}
