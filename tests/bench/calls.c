/*
 * What wrapped calls cost, measured from within: the same program runs bare, under the shim and
 * under strace, and scripts/bench compares what it prints.
 *
 *   calls CPU BATCHES SIZE NAME...   a line "NAME NANOSECONDS" each, per call or cycle
 *
 * Pins itself to the CPU (-1: does not). Each figure is the median of BATCHES means over SIZE
 * calls, so that a batch in which something else had the CPU does not count.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum {
    SIZE_MAX_CALLS = 900, /* open at once, below the usual limit of 1,024 */
    SENT_AT_ONCE = 64     /* datagrams of one byte: the receiver's buffer takes more */
};

static void must(int condition, const char *what) {
    if (condition)
        return;
    perror(what);
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t cycles(int type, int count) {
    uint64_t begin = now();
    for (int i = 0; i < count; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t length = sizeof address;
        int fd = socket(AF_INET, type, 0);
        must(fd >= 0, "socket");
        must(bind(fd, (struct sockaddr *)&address, length) == 0, "bind");
        must(getsockname(fd, (struct sockaddr *)&address, &length) == 0, "getsockname");
        must(address.sin_port != 0, "the kernel assigned no port");
        must(close(fd) == 0, "close");
    }
    return now() - begin;
}

static uint64_t tcp_cycle(int count) { return cycles(SOCK_STREAM, count); }

static uint64_t udp_cycle(int count) { return cycles(SOCK_DGRAM, count); }

/* dup and close of a descriptor that is no IP socket: one is made by the other, only one is timed.
 */
static uint64_t dup_and_close(int count, int is_close_timed) {
    int copies[SIZE_MAX_CALLS];
    int null = open("/dev/null", O_RDWR);
    must(null >= 0, "/dev/null");
    uint64_t begin = now();
    for (int i = 0; i < count; i++)
        must((copies[i] = dup(null)) >= 0, "dup");
    uint64_t middle = now();
    for (int i = 0; i < count; i++)
        must(close(copies[i]) == 0, "close");
    uint64_t end = now();
    close(null);
    return is_close_timed ? end - middle : middle - begin;
}

static uint64_t plain_dup(int count) { return dup_and_close(count, 0); }

static uint64_t plain_close(int count) { return dup_and_close(count, 1); }

static uint64_t plain_sendto(int count) {
    int pair[2];
    char byte = 0;
    uint64_t spent = 0;
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
    for (int sent = 0; sent < count;) {
        int part = count - sent < SENT_AT_ONCE ? count - sent : SENT_AT_ONCE;
        uint64_t begin = now();
        for (int i = 0; i < part; i++)
            must(sendto(pair[0], &byte, 1, 0, NULL, 0) == 1, "sendto");
        spent += now() - begin;
        char buffer[SENT_AT_ONCE];
        must(recv(pair[1], buffer, (size_t)part, MSG_WAITALL) == part, "recv");
        sent += part;
    }
    close(pair[0]);
    close(pair[1]);
    return spent;
}

static uint64_t process(int count) {
    static char name[] = "true";
    char *arguments[] = {name, NULL};
    uint64_t begin = now();
    for (int i = 0; i < count; i++) {
        pid_t child;
        int status;
        must(posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ) == 0, "/bin/true");
        must(waitpid(child, &status, 0) == child && status == 0, "true");
    }
    return now() - begin;
}

static const struct {
    const char *name;
    uint64_t (*run)(int count); /* returns the nanoseconds that `count` calls took */
} operations[] = {{"tcp-cycle", tcp_cycle},       {"udp-cycle", udp_cycle},
                  {"plain-close", plain_close},   {"plain-dup", plain_dup},
                  {"plain-sendto", plain_sendto}, {"process", process}};

static void measure(unsigned index, int batches, int size) {
    uint64_t best = UINT64_MAX;
    operations[index].run(size > 4 ? size / 4 : 1); /* warms up */
    for (int i = 0; i < batches; i++) {
        uint64_t spent = operations[index].run(size);
        best = spent < best ? spent : best;
    }
    printf("%s %.1f\n", operations[index].name, (double)best / size);
}

static void measure_named(const char *name, int batches, int size) {
    for (unsigned i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (strcmp(operations[i].name, name) == 0) {
            measure(i, batches, size);
            return;
        }
    fprintf(stderr, "calls: nothing is called %s\n", name);
    exit(2);
}

int main(int argc, char **argv) {
    int cpu = argc > 1 ? atoi(argv[1]) : -1;
    int batches = argc > 2 ? atoi(argv[2]) : 0;
    int size = argc > 3 ? atoi(argv[3]) : 0;
    if (argc < 5 || batches < 1 || size < 1 || size > SIZE_MAX_CALLS) {
        fprintf(stderr, "usage: calls CPU BATCHES SIZE NAME...\n");
        return 2;
    }
    cpu_set_t one;
    CPU_ZERO(&one);
    if (cpu >= 0) {
        CPU_SET((unsigned)cpu, &one);
        must(sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
    }
    for (int i = 4; i < argc; i++)
        measure_named(argv[i], batches, size);
    return 0;
}
