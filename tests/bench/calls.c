/*
 * What wrapped calls cost, measured from within: the same program runs bare, under the shim and
 * under strace, and scripts/bench compares what it prints.
 *
 *   calls CPU BATCHES SIZE NAME...
 *
 * Pins itself to the CPU (-1: does not). By turns it makes SIZE calls as any program would and SIZE
 * calls of libc's own functions, past whatever is preloaded, and prints a line for each name:
 *
 *   NAME NANOSECONDS OF_LIBC
 *
 * Both are those of the fastest of BATCHES, the one that other programs disturbed least; where
 * nothing is preloaded they are equal. What the calls bring about, such as room made in the trace,
 * is in every batch that is large enough.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum {
    SIZE_MAX_CALLS = 900, /* open at once, below the usual limit of 1,024 */
    HELD = 1000,
    SENT_AT_ONCE = 64 /* datagrams of one byte: the receiver's buffer takes more */
};

struct functions {
    int (*socket)(int, int, int);
    int (*bind)(int, const struct sockaddr *, socklen_t);
    int (*getsockname)(int, struct sockaddr *, socklen_t *);
    int (*listen)(int, int);
    int (*close)(int);
    int (*dup)(int);
    ssize_t (*sendto)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
};

static struct functions called, direct;

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

/* A socket at any port, whose number is read. */
static int pick(const struct functions *use, int type, int listens, struct sockaddr_in *address) {
    socklen_t length = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    int fd = use->socket(AF_INET, type, 0);
    must(fd >= 0, "socket");
    must(use->bind(fd, (struct sockaddr *)address, sizeof *address) == 0, "bind");
    must(!listens || use->listen(fd, 1) == 0, "listen");
    must(use->getsockname(fd, (struct sockaddr *)address, &length) == 0, "getsockname");
    must(address->sin_port != 0, "the kernel assigned no port");
    return fd;
}

static uint64_t cycles(const struct functions *use, int type, int listens, int count) {
    uint64_t begin = now();
    for (int i = 0; i < count; i++) {
        struct sockaddr_in address;
        must(use->close(pick(use, type, listens, &address)) == 0, "close");
    }
    return now() - begin;
}

static uint64_t tcp_cycle(const struct functions *use, int count) {
    return cycles(use, SOCK_STREAM, 0, count);
}

static uint64_t udp_cycle(const struct functions *use, int count) {
    return cycles(use, SOCK_DGRAM, 0, count);
}

/* dup and close of a descriptor that is not an IP socket: one is made by the other, only one is
 * timed. */
static uint64_t dup_and_close(const struct functions *use, int count, int is_close_timed) {
    int copies[SIZE_MAX_CALLS];
    int null = open("/dev/null", O_RDWR);
    must(null >= 0, "/dev/null");
    uint64_t begin = now();
    for (int i = 0; i < count; i++)
        must((copies[i] = use->dup(null)) >= 0, "dup");
    uint64_t middle = now();
    for (int i = 0; i < count; i++)
        must(use->close(copies[i]) == 0, "close");
    uint64_t end = now();
    close(null);
    return is_close_timed ? end - middle : middle - begin;
}

static uint64_t plain_dup(const struct functions *use, int count) {
    return dup_and_close(use, count, 0);
}

static uint64_t plain_close(const struct functions *use, int count) {
    return dup_and_close(use, count, 1);
}

static uint64_t plain_sendto(const struct functions *use, int count) {
    int pair[2];
    char byte = 0;
    uint64_t spent = 0;
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
    for (int sent = 0; sent < count;) {
        int part = count - sent < SENT_AT_ONCE ? count - sent : SENT_AT_ONCE;
        uint64_t begin = now();
        for (int i = 0; i < part; i++)
            must(use->sendto(pair[0], &byte, 1, 0, NULL, 0) == 1, "sendto");
        spent += now() - begin;
        char buffer[SENT_AT_ONCE];
        must(recv(pair[1], buffer, (size_t)part, MSG_WAITALL) == part, "recv");
        sent += part;
    }
    close(pair[0]);
    close(pair[1]);
    return spent;
}

static void hold_ports(void) {
    static int held[HELD];
    struct sockaddr_in any = {.sin_family = AF_INET};
    for (int i = 0; i < HELD && held[i] == 0; i++) {
        must((held[i] = called.socket(AF_INET, SOCK_STREAM, 0)) >= 0, "socket");
        must(called.bind(held[i], (struct sockaddr *)&any, sizeof any) == 0, "bind");
    }
}

static uint64_t held_cycle(const struct functions *use, int count) {
    hold_ports();
    return cycles(use, SOCK_STREAM, 0, count);
}

static uint64_t held_listen(const struct functions *use, int count) {
    hold_ports();
    return cycles(use, SOCK_STREAM, 1, count);
}

/* The bind by number alone, of ports that were picked and released. */
static uint64_t held_number(const struct functions *use, int count) {
    static struct sockaddr_in picked[SIZE_MAX_CALLS];
    static int sockets[SIZE_MAX_CALLS];
    hold_ports();
    for (int i = 0; i < count; i++)
        sockets[i] = pick(use, SOCK_STREAM, 0, &picked[i]);
    for (int i = 0; i < count; i++)
        must(use->close(sockets[i]) == 0, "close");
    for (int i = 0; i < count; i++)
        must((sockets[i] = use->socket(AF_INET, SOCK_STREAM, 0)) >= 0, "socket");
    uint64_t begin = now();
    for (int i = 0; i < count; i++)
        must(use->bind(sockets[i], (struct sockaddr *)&picked[i], sizeof picked[i]) == 0,
             "bind by number");
    uint64_t spent = now() - begin;
    for (int i = 0; i < count; i++)
        must(use->close(sockets[i]) == 0, "close");
    return spent;
}

/* The bind alone. */
static uint64_t held_bind(const struct functions *use, int count) {
    int sockets[SIZE_MAX_CALLS];
    struct sockaddr_in any = {.sin_family = AF_INET};
    hold_ports();
    for (int i = 0; i < count; i++)
        must((sockets[i] = use->socket(AF_INET, SOCK_STREAM, 0)) >= 0, "socket");
    uint64_t begin = now();
    for (int i = 0; i < count; i++)
        must(use->bind(sockets[i], (struct sockaddr *)&any, sizeof any) == 0, "bind");
    uint64_t spent = now() - begin;
    for (int i = 0; i < count; i++)
        must(use->close(sockets[i]) == 0, "close");
    return spent;
}

/* The child is what costs here, and what is preloaded comes with it in any case. */
static uint64_t process(const struct functions *use, int count) {
    (void)use;
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
    uint64_t (*run)(const struct functions *use,
                    int count); /* returns the nanoseconds that `count` calls took */
} operations[] = {{"tcp-cycle", tcp_cycle},       {"udp-cycle", udp_cycle},
                  {"plain-close", plain_close},   {"plain-dup", plain_dup},
                  {"plain-sendto", plain_sendto}, {"process", process},
                  {"held-cycle", held_cycle},     {"held-bind", held_bind},
                  {"held-listen", held_listen},   {"held-number", held_number}};

static void look_up(void *libc, const char *name, void *pointer) {
    void *found = dlsym(libc, name);
    must(found != NULL, name);
    memcpy(pointer, &found, sizeof found); /* ISO C has no cast from void * to a function pointer */
}

static void find_functions(void) {
    void *libc = dlopen("libc.so.6", RTLD_NOW);
    called = (struct functions){socket, bind, getsockname, listen, close, dup, sendto};
    must(libc != NULL, "libc.so.6");
    look_up(libc, "socket", &direct.socket);
    look_up(libc, "bind", &direct.bind);
    look_up(libc, "getsockname", &direct.getsockname);
    look_up(libc, "listen", &direct.listen);
    look_up(libc, "close", &direct.close);
    look_up(libc, "dup", &direct.dup);
    look_up(libc, "sendto", &direct.sendto);
}

static void measure(unsigned index, int batches, int size) {
    uint64_t best[2] = {UINT64_MAX, UINT64_MAX};
    operations[index].run(&called, size > 4 ? size / 4 : 1); /* warms up */
    for (int i = 0; i < batches; i++) {
        /* Which goes first must not keep step with what the kernel does at each tick. */
        int first = random() % 2 == 0;
        for (int turn = 0; turn < 2; turn++) {
            int use_libc = first ^ turn;
            uint64_t spent = operations[index].run(use_libc ? &direct : &called, size);
            best[use_libc] = spent < best[use_libc] ? spent : best[use_libc];
        }
    }
    printf("%s %.1f %.1f\n", operations[index].name, (double)best[0] / size,
           (double)best[1] / size);
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
    find_functions();
    const struct rlimit files = {4096, 4096};
    must(setrlimit(RLIMIT_NOFILE, &files) == 0, "RLIMIT_NOFILE");
    srandom((unsigned)now());
    for (int i = 4; i < argc; i++)
        measure_named(argv[i], batches, size);
    return 0;
}
