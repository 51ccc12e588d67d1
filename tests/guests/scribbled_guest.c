/*
 * Makes every kind of call that the shim records, over and over, until a file exists, and reports
 * whatever the kernel alone would not have answered: scribbled_guest READY STOP. It makes READY
 * when it has begun. As `scribbled_guest once` it makes one round.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FORK_EVERY = 6, ROUNDS_AFTER = 12, SHOWN = 10 };

static long wrong;

static bool expect(bool right, const char *what) {
    if (!right && ++wrong <= SHOWN)
        fprintf(stderr, "scribbled_guest: %s: %s\n", what, strerror(errno));
    return right;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool bind_any(int fd, struct sockaddr_in *address) {
    socklen_t length = sizeof *address;
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    errno = 0;
    return expect(bind(fd, (struct sockaddr *)address, sizeof *address) == 0, "bind") &&
           expect(getsockname(fd, (struct sockaddr *)address, &length) == 0, "getsockname") &&
           expect(address->sin_port != 0, "no port");
}

static void connect_to(int listener, const struct sockaddr_in *address) {
    const struct linger at_once = {.l_onoff = 1};
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (expect(connect(client, (const struct sockaddr *)address, sizeof *address) == 0,
               "connect")) {
        int served = accept(listener, (struct sockaddr *)&peer, &length);
        expect(served >= 0, "accept");
        close(served);
    }
    close(client);
}

static void send_to(const struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    expect(sendto(fd, "x", 1, 0, (const struct sockaddr *)address, sizeof *address) == 1 ||
               errno == ECONNREFUSED,
           "sendto");
    close(fd);
}

/* A number bound again as soon as it was released: what `soonest` looks for. */
static void bind_again(const struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    expect(bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EADDRINUSE,
           "bind by number");
    close(fd);
}

static void make_round(void) {
    struct sockaddr_in address, other;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool bound = bind_any(listener, &address);
    bind_any(datagrams, &other);
    if (bound && expect(listen(listener, 8) == 0, "listen"))
        connect_to(listener, &address);
    send_to(&address);
    close(dup(listener));
    close(listener);
    close(datagrams);
    if (bound)
        bind_again(&address);
}

static void start_child(const char *self, bool execute) {
    int status = 0;
    pid_t pid = fork();
    if (pid == 0 && execute) {
        execl(self, self, "once", (char *)NULL);
        _exit(99);
    }
    if (pid == 0) {
        wrong = 0;
        make_round();
        _exit(wrong != 0);
    }
    expect(pid > 0, "fork");
    expect(waitpid(pid, &status, 0) == pid, "waitpid");
    errno = 0;
    if (!expect(status == 0, "a child"))
        fprintf(stderr, "scribbled_guest: a child ended with status %#x\n", (unsigned)status);
}

static void make_file(const char *path) {
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    expect(file >= 0, path);
    close(file);
}

int main(int argc, char **argv) {
    double worst = 0;
    long rounds = 0, left = ROUNDS_AFTER;
    if (argc == 2) {
        make_round();
        return wrong != 0;
    }
    if (argc != 3) {
        fprintf(stderr, "usage: scribbled_guest READY STOP\n");
        return 2;
    }
    const pid_t starter = getppid();
    for (; left > 0; rounds++) {
        if (getppid() != starter) {
            fprintf(stderr, "scribbled_guest: left alone\n");
            return 3;
        }
        double begin = now();
        make_round();
        if (rounds % FORK_EVERY == 0)
            start_child("/proc/self/exe", rounds / FORK_EVERY % 2 == 0);
        if (now() - begin > worst)
            worst = now() - begin;
        if (rounds == FORK_EVERY)
            make_file(argv[1]);
        if (access(argv[2], F_OK) == 0)
            left--;
    }
    printf("%ld rounds, %ld wrong, the longest %.3f s\n", rounds, wrong, worst);
    return wrong != 0;
}
