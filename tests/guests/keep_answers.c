/* What a program is answered that binds a number which another socket was given for port 0, and
 * reads SO_REUSEADDR back after each call: a line for each situation, without the number itself, so
 * that two runs can be compared. A situation is what the first socket is bound to and has set, what
 * became of it, and what the second one is bound to and has set.
 *
 *   keep_answers [STEP]    every STEP-th situation (1)
 *
 * It uses libc's calls, and is built as a static program too (keep_answers.static.c). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ADDRESS = 1, PORT = 2, LATE = 4, CLEARED = 8 }; /* SO_REUSEADDR, SO_REUSEPORT, and when */

struct place {
    const char *text;
    int family;
    int only_v6;
};

static const struct place places[] = {{"127.0.0.1", AF_INET, 0}, {"0.0.0.0", AF_INET, 0},
                                      {"::1", AF_INET6, 0},      {"::", AF_INET6, 0},
                                      {"::", AF_INET6, 1},       {"127.0.0.2", AF_INET, 0}};
enum { FIRST_PLACES = 5, PLACES = 6 };

static const int first_options[] = {0, ADDRESS, PORT, ADDRESS | PORT, LATE, ADDRESS | CLEARED};
enum { FIRST_OPTIONS = 6, OPTIONS = 4 };

enum state {
    OPEN,
    LISTENS,
    SHUT_DOWN,
    LISTENS_AGAIN,
    CONNECTED,
    TIME_WAIT,
    CONNECT_REFUSED,
    DUPLICATED,
    FORKED,
    CLOSED,
    SHARED_BY_TWO,
    STATES
};
static const char *const state_names[] = {
    "open",          "listens",          "shut-down",  "listens-again", "connected", "time-wait",
    "then-connects", "closed-but-a-dup", "in-a-child", "closed",        "beside-two"};

static int type;

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static void must(int good, const char *what) {
    if (good)
        return;
    perror(what);
    exit(1);
}

static socklen_t address_of(const struct place *place, int port, union address *address) {
    memset(address, 0, sizeof *address);
    address->any.sa_family = (sa_family_t)place->family;
    void *to = place->family == AF_INET ? (void *)&address->v4.sin_addr : &address->v6.sin6_addr;
    must(inet_pton(place->family, place->text, to) == 1, "inet_pton");
    address->v4.sin_port = htons((in_port_t)port); /* the same place in both */
    return place->family == AF_INET ? sizeof address->v4 : sizeof address->v6;
}

static void set(int fd, int option, int on) {
    must(setsockopt(fd, SOL_SOCKET, option, &on, sizeof on) == 0, "setsockopt");
}

/* The answer to a call, and what the socket then has. */
static void say(const char *what, int fd, int result) {
    int error = errno, on = -1, joins = -1;
    socklen_t length = sizeof on;
    must(getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, &length) == 0, "getsockopt");
    must(getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &joins, &length) == 0, "getsockopt");
    printf(" %s:%s/%d%d", what, result == 0 ? "ok" : strerrorname_np(error), on, joins);
}

static int new_socket(const struct place *place, int options) {
    int fd = socket(place->family, type | SOCK_CLOEXEC, 0);
    must(fd >= 0, "socket");
    if (place->family == AF_INET6)
        must(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &place->only_v6, sizeof(int)) == 0, "only");
    if ((options & ADDRESS) != 0)
        set(fd, SO_REUSEADDR, 1);
    if ((options & PORT) != 0)
        set(fd, SO_REUSEPORT, 1);
    return fd;
}

static int bind_to(int fd, const struct place *place, int port) {
    union address address;
    socklen_t length = address_of(place, port, &address);
    return bind(fd, &address.any, length);
}

static int port_of(int fd) {
    union address address;
    socklen_t length = sizeof address;
    must(getsockname(fd, &address.any, &length) == 0, "getsockname");
    return ntohs(address.v4.sin_port);
}

/* A number that no situation had before: some leave a TIME_WAIT, on an address that does not keep
 * the kernel from giving the number again on another one. */
static int new_number(const struct place *place, int options, int *port) {
    static char was_used[65536];
    int fd = new_socket(place, options), result = bind_to(fd, place, 0);
    *port = port_of(fd);
    if (result == 0 && was_used[*port]) {
        int next = new_number(place, options, port);
        close(fd);
        return next;
    }
    was_used[*port] = 1;
    say("bind", fd, result);
    return fd;
}

static int pick(const struct place *place, int options, int *port) {
    int fd = new_number(place, options, port);
    say("read", fd, 0);
    if ((options & (LATE | CLEARED)) != 0)
        set(fd, SO_REUSEADDR, (options & LATE) != 0);
    return fd;
}

/* How the place is reached. */
static const struct place *near(const struct place *place) {
    return place->family == AF_INET ? &places[0] : &places[2];
}

static int connect_to(int fd, const struct place *place, int port) {
    union address address;
    socklen_t length = address_of(near(place), port, &address);
    return connect(fd, &address.any, length);
}

/* A connection to a listener, the end that accepted it in *accepted. */
static int connection(int listener, const struct place *place, int port, int *accepted) {
    int fd = new_socket(near(place), 0);
    must(connect_to(fd, place, port) == 0, "connect");
    *accepted = accept(listener, NULL, NULL);
    must(*accepted >= 0, "accept");
    return fd;
}

/* What is left of the first socket: up to two descriptors, -1: none. */
struct left {
    int fd, other;
    pid_t child;
};

static void connected(struct left *left, const struct place *place, int port, int end) {
    int accepted, client = connection(left->fd, place, port, &accepted);
    say("close", left->fd, 0);
    close(left->fd);
    *left = (struct left){.fd = accepted, .other = client};
    if (!end)
        return;
    char byte;
    shutdown(accepted, SHUT_WR);
    must(read(client, &byte, 1) == 0, "read");
    close(client);
    must(read(accepted, &byte, 1) == 0, "read"); /* it has come to TIME_WAIT */
    close(accepted);
    *left = (struct left){.fd = -1, .other = -1};
}

/* A listener that was shut down has lost its port and gets any. By chance that may be the same. */
static void listen_again(int fd, int port) {
    int result = listen(fd, 5);
    while (result == 0 && port_of(fd) == port) {
        must(shutdown(fd, SHUT_RDWR) == 0, "shutdown");
        result = listen(fd, 5);
    }
    say("listen", fd, result);
}

static void listened(struct left *left, enum state state, const struct place *place, int port) {
    say("listen", left->fd, listen(left->fd, 5));
    say("listen", left->fd, listen(left->fd, 7));
    if (state == CONNECTED || state == TIME_WAIT)
        connected(left, place, port, state == TIME_WAIT);
    if (state == SHUT_DOWN || state == LISTENS_AGAIN)
        say("shutdown", left->fd, shutdown(left->fd, SHUT_RDWR));
    if (state == LISTENS_AGAIN)
        listen_again(left->fd, port);
}

/* The port that was connected to is nobody's: it is bound and does not listen. */
static void refused(int fd, const struct place *place) {
    int port, deaf = new_socket(near(place), 0), hears = new_socket(near(place), 0);
    must(bind_to(deaf, near(place), 0) == 0, "bind");
    port = port_of(deaf);
    say("connect", fd, connect_to(fd, place, port));
    if (type != SOCK_STREAM) {
        ssize_t sent = send(fd, "x", 1, 0);
        say("send", fd, sent == 1 ? 0 : -1);
    } else {
        must(listen(hears, 5) == 0, "listen");
        say("again", fd, connect_to(fd, place, port_of(hears)));
    }
    close(deaf);
    close(hears);
}

static void forked(struct left *left) {
    int gate[2];
    char byte;
    must(pipe(gate) == 0, "pipe");
    fflush(stdout);
    left->child = fork();
    must(left->child >= 0, "fork");
    if (left->child == 0) {
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(gate[0]);
    say("close", left->fd, 0);
    close(left->fd);
    *left = (struct left){.fd = -1, .other = gate[1], .child = left->child};
}

static void shared_by_two(struct left *left, const struct place *place, int port) {
    close(left->fd);
    left->fd = new_socket(place, ADDRESS);
    left->other = new_socket(place, ADDRESS);
    say("second", left->fd, bind_to(left->fd, place, port));
    say("third", left->other, bind_to(left->other, place, port));
}

static void come_to(enum state state, struct left *left, const struct place *place, int port) {
    switch (state) {
    case OPEN:
        break;
    case CONNECT_REFUSED:
        refused(left->fd, place);
        break;
    case DUPLICATED:
        left->other = dup(left->fd);
        close(left->fd);
        left->fd = -1;
        say("read", left->other, port_of(left->other) == port ? 0 : -1);
        break;
    case FORKED:
        forked(left);
        break;
    case CLOSED:
        close(left->fd);
        left->fd = -1;
        break;
    case SHARED_BY_TWO:
        shared_by_two(left, place, port);
        break;
    default:
        listened(left, state, place, port);
    }
}

static void end(const struct left *left) {
    if (left->fd >= 0)
        close(left->fd);
    if (left->other >= 0)
        close(left->other);
    if (left->child > 0)
        waitpid(left->child, NULL, 0);
}

static void try(const char *what, const struct place *place, int options, int port, int is_kept) {
    int fd = new_socket(place, options), result = bind_to(fd, place, port);
    say(what, fd, result);
    if (result == 0 && type == SOCK_STREAM)
        say("listen", fd, listen(fd, 5));
    if (result == 0 && is_kept)
        say("read", fd, port_of(fd) == port ? 0 : -1);
    close(fd);
}

static void situation(enum state state, const struct place *first, int first_option,
                      const struct place *second, int option) {
    struct left left = {.fd = -1, .other = -1};
    int port;
    printf("%s %s first %s%s/%d second %s%s/%d:", type == SOCK_STREAM ? "tcp" : "udp",
           state_names[state], first->text, first->only_v6 ? "-only" : "", first_option,
           second->text, second->only_v6 ? "-only" : "", option);
    left.fd = pick(first, first_option, &port);
    come_to(state, &left, first, port);
    try("by-number", second, option, port, 1);
    if (left.fd >= 0 && type == SOCK_STREAM && state <= LISTENS)
        say("first-listens", left.fd, listen(left.fd, 5));
    try("again", second, option, port, 0);
    end(&left);
    try("after", first, 0, port, 0);
    puts("");
}

static int applies(enum state state) {
    return type == SOCK_STREAM || state == OPEN || state >= CONNECT_REFUSED;
}

/* The n-th of all. */
static void nth(unsigned n) {
    type = n % 2 == 0 ? SOCK_STREAM : SOCK_DGRAM;
    n /= 2;
    enum state state = (enum state)(n % STATES);
    n /= STATES;
    int option = (int)(n % OPTIONS);
    n /= OPTIONS;
    int first_option = first_options[n % FIRST_OPTIONS];
    n /= FIRST_OPTIONS;
    if (applies(state))
        situation(state, &places[n / PLACES], first_option, &places[n % PLACES], option);
}

int main(int count, char **words) {
    const unsigned all = 2 * STATES * OPTIONS * FIRST_OPTIONS * FIRST_PLACES * PLACES;
    unsigned step = count > 1 ? (unsigned)atoi(words[1]) : 1;
    for (unsigned n = 0; n < all; n += step)
        nth(n);
    return 0;
}
