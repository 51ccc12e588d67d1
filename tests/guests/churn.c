/*
 * What may happen to a program in the middle of a wrapped call, each by one word:
 *
 *   cancel    threads that are cancelled in connect, accept and close
 *   signals   a timer's handler that binds, wherever the program is
 *   forks     children of a program with 64 threads that bind all the while
 *   pty       a child that is forked inside the C library, after a vfork
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 64, CHILDREN = 20, SIGNALS = 2000 };

static int bound(struct sockaddr_in *name) {
    socklen_t length = sizeof *name;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    *name = (struct sockaddr_in){.sin_family = AF_INET};
    name->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)name, sizeof *name) != 0 ||
        getsockname(fd, (struct sockaddr *)name, &length) != 0)
        return -1;
    return fd;
}

static int bind_and_close(void) {
    struct sockaddr_in name;
    int fd = bound(&name);
    return fd >= 0 && name.sin_port != 0 && close(fd) == 0;
}

static struct sockaddr_in full; /* a listener whose queue is full: a connect there waits */
static _Atomic int ready;

static void *connect_for_ever(void *unused) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    atomic_store(&ready, 1);
    connect(fd, (struct sockaddr *)&full, sizeof full);
    return unused;
}

static void *accept_for_ever(void *unused) {
    struct sockaddr_in name;
    int fd = bound(&name);
    listen(fd, 1);
    atomic_store(&ready, 1);
    accept(fd, NULL, NULL);
    return unused;
}

/* The request is there already when close is called. */
static void *close_when_asked(void *unused) {
    struct sockaddr_in name;
    int fd = bound(&name);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    pthread_cancel(pthread_self());
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    atomic_store(&ready, 1);
    close(fd);
    return unused;
}

static void cancel_in(const char *what, void *(*run)(void *)) {
    pthread_t thread;
    void *result = NULL;
    atomic_store(&ready, 0);
    if (pthread_create(&thread, NULL, run, NULL) != 0)
        exit(3);
    while (!atomic_load(&ready))
        usleep(1000);
    usleep(30000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    printf("%s: %s\n", what, result == PTHREAD_CANCELED ? "cancelled" : "returned");
}

static int cancel(void) {
    int server = bound(&full);
    listen(server, 0);
    for (int i = 0; i < 3; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fd, (struct sockaddr *)&full, sizeof full);
    }
    cancel_in("connect", connect_for_ever);
    cancel_in("accept", accept_for_ever);
    cancel_in("close", close_when_asked);
    printf("afterwards: %d\n", bind_and_close());
    return 0;
}

static volatile sig_atomic_t handled, wrong;

static void handle(int number) {
    (void)number;
    int saved = errno;
    wrong += !bind_and_close();
    if (handled % 100 == 0) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(bind_and_close() ? 0 : 1);
        int status = -1;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        wrong += status != 0;
    }
    errno = saved;
    handled++;
}

static int signals(void) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 100}, {0, 100}};
    long bad = 0;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    while (handled < SIGNALS) {
        errno = ENOTNAM;
        bad += !bind_and_close() || errno != ENOTNAM;
    }
    memset(&often, 0, sizeof often);
    setitimer(ITIMER_REAL, &often, NULL);
    printf("wrong %ld in the program, %d in the handler\n", bad, (int)wrong);
    return 0;
}

static _Atomic int stop, failures;

static void *bind_until_stop(void *unused) {
    while (!atomic_load(&stop)) {
        if (!bind_and_close())
            atomic_fetch_add(&failures, 1);
        usleep(5000); /* the children want to get on as well */
    }
    return unused;
}

static void be_child(void) {
    if (!bind_and_close())
        _exit(1);
    execlp("true", "true", (char *)NULL);
    _exit(2);
}

static int forks(void) {
    pthread_t threads[THREADS];
    int bad = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, bind_until_stop, NULL);
    for (int i = 0; i < CHILDREN; i++) {
        int status = -1;
        pid_t pid = fork();
        if (pid == 0)
            be_child();
        if (waitpid(pid, &status, 0) != pid || status != 0)
            bad++;
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("failures: %d in threads, %d in children\n", failures, bad);
    return 0;
}

static int pty(void) {
    int terminal, status = -1;
    pid_t pid = vfork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    pid = forkpty(&terminal, NULL, NULL, NULL);
    if (pid == 0)
        _exit(bind_and_close() ? 7 : 8);
    waitpid(pid, &status, 0);
    printf("child %x, here %d\n", (unsigned)status, bind_and_close());
    return 0;
}

int main(int count, char **arguments) {
    const char *way = count == 2 ? arguments[1] : "";
    if (strcmp(way, "cancel") == 0)
        return cancel();
    if (strcmp(way, "signals") == 0)
        return signals();
    if (strcmp(way, "forks") == 0)
        return forks();
    return strcmp(way, "pty") == 0 ? pty() : 2;
}
