/* What the guests in C share: the words that they are called with, GUEST WORD N, and what they
 * print.
 *
 * - loop: N sockets one after the other: TCP, TCP on IPv6, UDP, and so on; each is closed
 * - hold: the same, all held until the end of the input; says "held" when they are there
 * - connect: a listener, and N connections to it
 * - chain: one socket; then it executes itself for the next, N times in all
 * - number: binds N itself, as TCP on 127.0.0.1
 * - later: as loop, once it has read a character
 * - who: as loop, with its process and its parent before each line: "PID PARENT ..."
 *
 * With "-- COMMAND WORD..." behind it executes the command as a child afterwards, and ends as it
 * does. For each port that it got it prints "PROTOCOL ADDRESS PORT". A call that fails ends it
 * with 1. */
#ifndef TESTS_CAPTURE_GUEST_H
#define TESTS_CAPTURE_GUEST_H

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* What each guest has of its own: they end the program where they fail. */
int guest_socket(int family, int type);
void guest_bind(int fd, const union address *address, socklen_t length);
void guest_listen(int fd);
void guest_connect(int fd, const union address *address, socklen_t length);
void guest_read(int fd, union address *address, socklen_t *length);
void guest_close(int fd);

static int says_who;

__attribute__((noreturn)) static void fail(const char *call, long error) {
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", call, strerror((int)error));
    exit(1);
}

/* Prints where a socket is bound, and leaves it in `address`. */
static void print_port(int fd, const char *protocol, union address *address) {
    char text[INET6_ADDRSTRLEN];
    socklen_t length = sizeof *address;
    guest_read(fd, address, &length);
    int is_v4 = address->any.sa_family == AF_INET;
    inet_ntop(address->any.sa_family,
              is_v4 ? (const void *)&address->v4.sin_addr : (const void *)&address->v6.sin6_addr,
              text, sizeof text);
    if (says_who)
        printf("%d %d ", (int)getpid(), (int)getppid());
    printf("%s %s %u\n", protocol, text,
           (unsigned)ntohs(is_v4 ? address->v4.sin_port : address->v6.sin6_port));
}

/* The socket of that number, bound to a port of the kernel's choice and printed. */
static int make(int number) {
    union address address = {.v4 = {.sin_family = AF_INET}};
    socklen_t length = sizeof address.v4;
    int type = number % 3 == 2 ? SOCK_DGRAM : SOCK_STREAM;

    address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (number % 3 == 1) {
        address.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6};
        length = sizeof address.v6;
    }
    int fd = guest_socket(address.any.sa_family, type);
    guest_bind(fd, &address, length);
    if (type == SOCK_STREAM)
        guest_listen(fd);
    print_port(fd, type == SOCK_STREAM ? "tcp" : "udp", &address);
    return fd;
}

static void loop(int count) {
    for (int i = 0; i < count; i++)
        guest_close(make(i));
}

static void hold(int count) {
    for (int i = 0; i < count; i++)
        make(i);
    puts("held");
    fflush(stdout);
    while (getchar() != EOF)
        continue;
}

static void connect_often(int count) {
    union address server = {.v4 = {.sin_family = AF_INET}}, client;
    int listener = guest_socket(AF_INET, SOCK_STREAM);
    server.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    guest_bind(listener, &server, sizeof server.v4);
    guest_listen(listener);
    print_port(listener, "tcp", &server);
    for (int i = 0; i < count; i++) {
        int fd = guest_socket(AF_INET, SOCK_STREAM);
        guest_connect(fd, &server, sizeof server.v4);
        print_port(fd, "tcp", &client);
        int accepted = accept(listener, NULL, NULL);
        if (accepted < 0)
            fail("accept", errno);
        guest_close(fd);
        guest_close(accepted);
    }
    guest_close(listener);
}

static void bind_number(int number) {
    union address address = {.v4 = {.sin_family = AF_INET}};
    int fd = guest_socket(AF_INET, SOCK_STREAM);
    address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.v4.sin_port = htons((in_port_t)number);
    guest_bind(fd, &address, sizeof address.v4);
    guest_listen(fd);
    print_port(fd, "tcp", &address);
    guest_close(fd);
}

/* One port, then the program executes itself in the same process, for the next one. */
static void chain(char **words, int number) {
    char left[16];
    loop(1);
    if (number <= 1)
        return;
    fflush(stdout);
    snprintf(left, sizeof left, "%d", number - 1);
    char *next[] = {words[0], words[1], left, NULL};
    execv("/proc/self/exe", next);
    fail("execv", errno);
}

static int then(char **command) {
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execvp(command[0], command);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 126;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_guest(int count, char **words) {
    if (count < 3 || (count > 3 && (strcmp(words[3], "--") != 0 || count == 4)))
        return 2;
    int number = atoi(words[2]);
    if (strcmp(words[1], "loop") == 0)
        loop(number);
    else if (strcmp(words[1], "later") == 0 && getchar() != EOF)
        loop(number);
    else if (strcmp(words[1], "hold") == 0)
        hold(number);
    else if (strcmp(words[1], "number") == 0)
        bind_number(number);
    else if (strcmp(words[1], "connect") == 0)
        connect_often(number);
    else if (strcmp(words[1], "chain") == 0)
        chain(words, number);
    else if (strcmp(words[1], "who") == 0 && (says_who = 1))
        loop(number);
    else
        return 2;
    if (fflush(stdout) != 0)
        return 1;
    return count > 4 ? then(words + 4) : 0;
}

#endif
