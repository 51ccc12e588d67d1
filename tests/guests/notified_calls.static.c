/* Makes many socket calls and prints what came of them. A static program, which no preload can
 * enter, compares the answers with what they must be itself.
 *
 *   bind COUNT          binds to port 0 and prints each port that getsockname says
 *   listen COUNT        the same by listen
 *   connect COUNT       ... and by a blocking connect to a listener of its own
 *   try PORT [USER]     a bind by number, as that user; prints the errno
 *   either PORT         a bind by number, or else one to port 0 by the same socket; prints the port
 *   errors 0            binds and connects that fail, each with its errno, and "blocks" after each
 *                       connect that left its socket as it was
 *   slow SECONDS        a connect to a full listener, which takes it up after that time; 0: never,
 *                       until a signal comes
 *   storm COUNT [plain] binds while SIGALRM comes all the time, with SA_RESTART unless `plain`;
 *                       prints how many calls failed with which errno
 *   exec COUNT PROGRAM...
 *                       binds as above, then executes a program
 *   landlock PORT OTHER [SECONDS]
 *                       takes from itself all binds but that of PORT, and all connects, then prints
 *                       the errno of a bind of PORT, of OTHER and of port 0, of a listen and of a
 *                       connect that does not wait; in a child too. Waits before and after taking
 *   loop SECONDS        binds, listens and reads; prints "loops N errors N"
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
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

static int bind_and_execute(int count, char **program) {
    int error = bind_many(count);
    fflush(stdout);
    return error != 0 ? error : execv(program[0], program);
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

static void say_connect(int fd, struct sockaddr_in address) {
    int error = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    printf("connect %d %d\n", error, port_of(fd));
    if ((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0)
        printf("blocks\n");
}

static void say_bind(int fd) {
    int error = bind_to(fd, 0);
    printf("bind %d %d\n", error, error == 0 ? port_of(fd) : 0);
}

static int errors(void) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in broadcast = loopback(9);
    broadcast.sin_addr.s_addr = INADDR_BROADCAST;
    say_bind(listener);
    say_bind(listener);
    struct sockaddr_in address = loopback(port_of(listener));
    say_connect(fd, address); /* nobody listens */
    say_connect(fd, broadcast);
    listen(listener, 5);
    say_connect(fd, address);
    say_connect(fd, address);
    say_connect(listener, address);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    say_bind(fd);
    say_connect(fd, loopback(1));
    return 0;
}

static void on_alarm(int number) { (void)number; }

static int slow(int seconds) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int first = socket(AF_INET, SOCK_STREAM, 0);
    int second = socket(AF_INET, SOCK_STREAM, 0);
    struct sigaction action = {.sa_handler = on_alarm};
    if (bind_to(listener, 0) != 0 || listen(listener, 0) != 0)
        return 1;
    struct sockaddr_in address = loopback(port_of(listener));
    say_connect(first, address);
    if (seconds > 0 && fork() == 0) {
        sleep((unsigned)seconds);
        accept(listener, NULL, NULL);
        accept(listener, NULL, NULL);
        _exit(0);
    }
    sigaction(SIGALRM, &action, NULL);
    alarm(seconds > 0 ? 0 : 1);
    say_connect(second, address);
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

/* linux/landlock.h, which is older than these where it is installed at all. */
struct landlock_rules {
    unsigned long long files;
    unsigned long long ports;
};
struct landlock_port {
    unsigned long long allowed;
    unsigned long long port;
};
enum { LANDLOCK_CREATE = 444, LANDLOCK_ADD = 445, LANDLOCK_RESTRICT = 446 };
enum { LANDLOCK_BIND = 1, LANDLOCK_CONNECT = 2, LANDLOCK_PORT = 2 };

static int restrict_self(int port) {
    struct landlock_rules rules = {.ports = LANDLOCK_BIND | LANDLOCK_CONNECT};
    struct landlock_port rule = {LANDLOCK_BIND, (unsigned)port};
    int set = (int)syscall(LANDLOCK_CREATE, &rules, sizeof rules, 0);
    if (set < 0 || syscall(LANDLOCK_ADD, set, LANDLOCK_PORT, &rule, 0) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(LANDLOCK_RESTRICT, set, 0) != 0)
        return 3;
    return 0;
}

static int connect_at_once(int port) {
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    return connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
}

static void print_refused(int port, int other) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int first = bind_to(fd, port);
    int listened = listen(fd, 5) == 0 ? 0 : errno;
    printf("errno %d %d %d %d %d\n", first, bind_to(socket(AF_INET, SOCK_STREAM, 0), other),
           bind_to(socket(AF_INET, SOCK_STREAM, 0), 0), listened, connect_at_once(other));
    close(fd);
    fflush(stdout);
}

static void say_and_wait(const char *what, unsigned seconds) {
    if (seconds > 0)
        printf("%s\n", what);
    fflush(stdout);
    sleep(seconds);
}

static int landlock(int port, int other, unsigned seconds) {
    say_and_wait("begins", seconds);
    int failed = restrict_self(port);
    if (failed != 0)
        return failed;
    say_and_wait("restricted", seconds);
    print_refused(port, other);
    pid_t child = fork();
    if (child == 0) {
        print_refused(port, other);
        _exit(0);
    }
    return waitpid(child, NULL, 0) == child ? 0 : 1;
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
        return bind_and_execute(number, arguments + 3);
    if (strcmp(what, "errors") == 0)
        return errors();
    if (strcmp(what, "slow") == 0)
        return slow(number);
    if (strcmp(what, "landlock") == 0 && count > 3)
        return landlock(number, atoi(arguments[3]), count > 4 ? (unsigned)atoi(arguments[4]) : 0);
    if (strcmp(what, "loop") == 0)
        return loop(number);
    return 2;
}
