/*
 * What the eBPF programs cost a guest that the shim is not in: the same loop of socket, bind to
 * port 0, getsockname and close, by two processes in turns, so that both see the same machine.
 *
 *   hooks [ROUNDS]
 *
 * Prints what it takes to load and attach the programs, and a line for each process: bare, and
 * below the hooks, with nanoseconds and the ratio to bare. Each figure is the median of the rounds.
 * Status 77, and why, where the programs cannot be loaded.
 */
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/capture/ebpf.h"

enum { WAYS = 2, ROUNDS_MAX = 1001, ROUNDS = 61, CALLS = 300, WAIT_MS = 20, NOT_RUN = 77 };

struct way {
    const char *name;
    bool in_group;
    int orders, answers; /* pipes */
    pid_t pid;
    double ns[ROUNDS_MAX], ratio[ROUNDS_MAX];
};

static struct way ways[WAYS] = {
    {.name = "bare"},
    {.name = "hooks", .in_group = true},
};
static struct capture_ebpf capture;
static uint64_t events;

static void must(bool condition, const char *what) {
    if (condition)
        return;
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double cycles(void) {
    double begin = now();
    for (int i = 0; i < CALLS; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t length = sizeof address;
        int file = socket(AF_INET, SOCK_STREAM, 0);
        must(file >= 0, "socket");
        must(bind(file, (struct sockaddr *)&address, length) == 0, "bind");
        must(getsockname(file, (struct sockaddr *)&address, &length) == 0, "getsockname");
        close(file);
    }
    return (now() - begin) / CALLS;
}

static void count(void *with, const struct outside_event *event) {
    (void)with;
    events += event->kind == OUTSIDE_BIND;
}

static void serve(int orders, int answers) {
    char order;
    while (read(orders, &order, 1) == 1) {
        double ns = cycles();
        must(write(answers, &ns, sizeof ns) == sizeof ns, "write");
    }
    _exit(0);
}

static void start(struct way *way) {
    int orders[2], answers[2];
    must(pipe(orders) == 0 && pipe(answers) == 0, "pipe");
    way->pid = fork();
    must(way->pid >= 0, "fork");
    if (way->pid == 0) {
        close(orders[1]);
        for (int i = 0; ways + i < way; i++)
            close(ways[i].orders);
        must(!way->in_group || capture_group_enter(&capture.group), "the control group");
        serve(orders[0], answers[1]);
    }
    close(orders[0]);
    close(answers[1]);
    way->orders = orders[1];
    way->answers = answers[0];
}

/* One round of one process, while the events are read as `run` reads them. */
static double measure(const struct way *way) {
    double ns;
    struct pollfd files[] = {{.fd = way->answers, .events = POLLIN},
                             {.fd = capture_ebpf_file(&capture), .events = POLLIN}};
    must(write(way->orders, "", 1) == 1, "write");
    while ((files[0].revents & POLLIN) == 0) {
        must(poll(files, 2, WAIT_MS) >= 0, "poll");
        capture_ebpf_take(&capture, SIZE_MAX, count, NULL);
    }
    must(read(way->answers, &ns, sizeof ns) == sizeof ns, "read");
    capture_ebpf_take(&capture, SIZE_MAX, count, NULL);
    return ns;
}

static int by_size(const void *one, const void *other) {
    double left = *(const double *)one;
    double right = *(const double *)other;
    return (left > right) - (left < right);
}

static double median(double *figures, int rounds) {
    qsort(figures, (size_t)rounds, sizeof *figures, by_size);
    return figures[rounds / 2];
}

int main(int count_of_arguments, char **arguments) {
    char why[CAPTURE_WHY_BYTES];
    int rounds = count_of_arguments > 1 ? atoi(arguments[1]) : ROUNDS;
    if (rounds < 1 || rounds > ROUNDS_MAX)
        return 2;
    double begin = now();
    if (!capture_ebpf_open(&capture, false, why)) {
        printf("%s\n", why);
        return NOT_RUN;
    }
    printf("open %.1f ms\n", (now() - begin) / 1e6);
    for (int i = 0; i < WAYS; i++)
        start(&ways[i]);
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < WAYS; i++) {
            ways[i].ns[round] = measure(&ways[i]);
            ways[i].ratio[round] = ways[i].ns[round] / ways[0].ns[round];
        }
    uint64_t lost = capture_ebpf_lost(&capture);
    must(events + lost >= (uint64_t)rounds * CALLS, "the binds were not seen");
    for (int i = 0; i < WAYS; i++) {
        close(ways[i].orders);
        waitpid(ways[i].pid, NULL, 0);
        printf("%s %.0f ns %.3f\n", ways[i].name, median(ways[i].ns, rounds),
               median(ways[i].ratio, rounds));
    }
    printf("lost %lu\n", (unsigned long)lost);
    capture_ebpf_close(&capture);
    return 0;
}
