/* Makes many socket calls and prints what came of them. A static program, which no preload can
 * enter, compares the answers with what they must be itself.
 *
 *   bind COUNT          binds to port 0 and prints each port that getsockname says
 *   listen COUNT        the same by listen
 *   connect COUNT       ... and by a blocking connect to a listener of its own
 *   try PORT [USER]     a bind by number, as that user; prints the errno
 *   either PORT         a bind by number, or else one to port 0 by the same socket; prints the port
 *   storm COUNT [plain] binds while SIGALRM comes all the time, with SA_RESTART unless `plain`;
 *                       prints how many calls failed with which errno
 *   exec 0 PROGRAM...   executes a program
 *   loop SECONDS        binds, listens and reads; prints "loops N errors N"
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int port_of(int fd) {
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return -1;
    return ntohs(address.sin_port);
}

static int bind_to(int fd, int port) {
    struct sockaddr_in address = loopback(port);
    return bind(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
}

static int bind_many(int count) {
    for (int i = 0; i < count; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (bind_to(fd, 0) != 0)
            return 1;
        printf("port %d\n", port_of(fd));
        close(fd);
    }
    return 0;
}

static int listen_many(int count) {
    for (int i = 0; i < count; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (listen(fd, 5) != 0)
            return 1;
        printf("port %d\n", port_of(fd));
        close(fd);
    }
    return 0;
}

static int connect_many(int count) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind_to(listener, 0) != 0 || listen(listener, 5) != 0)
        return 1;
    struct sockaddr_in address = loopback(port_of(listener));
    for (int i = 0; i < count; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
            return 1;
        printf("port %d\n", port_of(fd));
        close(accept(listener, NULL, NULL));
        close(fd);
    }
    return 0;
}

static int try_port(int port, int user) {
    if (user >= 0 && setuid((uid_t)user) != 0)
        return 2;
    printf("errno %d\n", bind_to(socket(AF_INET, SOCK_STREAM, 0), port));
    return 0;
}

static int bind_either(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind_to(fd, port) != 0 && bind_to(fd, 0) != 0)
        return 1;
    printf("port %d\n", port_of(fd));
    return 0;
}

static void on_alarm(int number) { (void)number; }

static int storm(int count, int flags) {
    int failed[200] = {0};
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};
    struct itimerval often = {{0, 50}, {0, 50}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < count; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        int error = bind_to(fd, 0);
        if (error == 0 && port_of(fd) <= 0)
            error = 199;
        failed[error]++;
        close(fd);
    }
    printf("good %d", failed[0]);
    for (int error = 1; error < 200; error++)
        if (failed[error] != 0)
            printf(" errno %d: %d", error, failed[error]);
    printf("\n");
    return 0;
}

static int loop(int seconds) {
    time_t end = time(NULL) + seconds;
    int loops = 0;
    int errors = 0;
    printf("begins\n");
    fflush(stdout);
    while (time(NULL) < end) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        int error = bind_to(fd, 0);
        if (error == 0 && listen(fd, 5) != 0)
            error = errno;
        if (error == 0 && port_of(fd) <= 0)
            error = 199;
        if (error != 0)
            printf("errno %d\n", error);
        errors += error != 0;
        loops++;
        close(fd);
    }
    printf("loops %d errors %d\n", loops, errors);
    return errors != 0;
}

int main(int count, char **arguments) {
    const char *what = count > 2 ? arguments[1] : "";
    int number = count > 2 ? atoi(arguments[2]) : 0;
    if (strcmp(what, "bind") == 0)
        return bind_many(number);
    if (strcmp(what, "listen") == 0)
        return listen_many(number);
    if (strcmp(what, "connect") == 0)
        return connect_many(number);
    if (strcmp(what, "try") == 0)
        return try_port(number, count > 3 ? atoi(arguments[3]) : -1);
    if (strcmp(what, "either") == 0)
        return bind_either(number);
    if (strcmp(what, "storm") == 0)
        return storm(number, count > 3 ? 0 : SA_RESTART);
    if (strcmp(what, "exec") == 0 && count > 3)
        return execv(arguments[3], arguments + 3);
    if (strcmp(what, "loop") == 0)
        return loop(number);
    return 2;
}
