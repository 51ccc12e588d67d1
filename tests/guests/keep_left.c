/* Leaves getsockname by a jump out of a signal handler, and listen with an argument, so many times:
 * prints how often SO_REUSEADDR is on afterwards, which nobody has set.
 *
 *   keep_left COUNT [listen]
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile sig_atomic_t armed;

static void leave(int number) {
    (void)number;
    if (!armed)
        return;
    armed = 0;
    siglongjmp(back, 1);
}

static void alarm_in(int microseconds) {
    const struct itimerval timer = {.it_value.tv_usec = microseconds};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static int option_of(int fd) {
    int on = 0;
    socklen_t length = sizeof on;
    getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, &length);
    return on;
}

/* Whether it was left. */
static int ask(int fd, int by_listen) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    if (sigsetjmp(back, 1) != 0)
        return 1;
    armed = 1;
    alarm_in(1 + rand() % 120);
    if (by_listen)
        listen(fd, 1);
    else
        getsockname(fd, (struct sockaddr *)&address, &length);
    armed = 0;
    return 0;
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 0, jumps = 0, on = 0;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    signal(SIGALRM, leave);
    for (int i = 0; i < count; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
            return 1;
        jumps += ask(fd, argc > 2);
        alarm_in(0);
        on += option_of(fd);
        close(fd);
    }
    printf("left %s, on %d\n", jumps > 0 ? "some" : "none", on);
    return 0;
}
