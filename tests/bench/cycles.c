/*
 * What a user runs: whole processes that make sockets, with nothing in them that measures but the
 * clock around it all.
 *
 *   cycles PROCESSES COUNT
 *
 * In each of so many processes, which begin together: COUNT times socket, bind to port 0,
 * getsockname and close, over TCP on 127.0.0.1. Prints the nanoseconds of a cycle: from the common
 * begin to the last one's end, by COUNT.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

static void cycle(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    must(fd >= 0, "socket");
    must(bind(fd, (struct sockaddr *)&address, length) == 0, "bind");
    must(getsockname(fd, (struct sockaddr *)&address, &length) == 0, "getsockname");
    must(address.sin_port != 0, "the kernel assigned no port");
    must(close(fd) == 0, "close");
}

/* Waits until whoever started us closes the other end. */
static void work(int gate, long count) {
    char byte;
    for (int i = 0; i < 50; i++)
        cycle(); /* warms up */
    must(read(gate, &byte, 1) == 0, "read");
    for (long i = 0; i < count; i++)
        cycle();
}

int main(int argc, char **argv) {
    long processes = argc == 3 ? atol(argv[1]) : 0, count = argc == 3 ? atol(argv[2]) : 0;
    int gate[2], status;
    if (processes < 1 || processes > 1000 || count < 1) {
        fprintf(stderr, "usage: cycles PROCESSES COUNT\n");
        return 2;
    }
    must(pipe(gate) == 0, "pipe");
    for (long i = 0; i < processes; i++) {
        pid_t child = fork();
        must(child >= 0, "fork");
        if (child != 0)
            continue;
        close(gate[1]);
        work(gate[0], count);
        exit(0);
    }
    const struct timespec while_they_warm_up = {.tv_nsec = 20 * 1000 * 1000};
    nanosleep(&while_they_warm_up, NULL);
    uint64_t begin = now();
    close(gate[1]);
    while (wait(&status) > 0)
        must(status == 0, "a process");
    printf("%.1f\n", (double)(now() - begin) / (double)count);
    return 0;
}
