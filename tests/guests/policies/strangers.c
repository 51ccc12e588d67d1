/*
 * Processes outside the run that ask for any port, so many times a second in all, and hold each for
 * a moment. None of them ever names a number of the port range.
 *
 *   strangers PROCESSES PER_SECOND HOLD_MS SERVER_PORT SECONDS
 *
 * Writes "asking" when all have begun. Ends with SIGTERM, or after SECONDS, and then writes how
 * many ports they were given in a second; with status 1 if one of them had ended by itself.
 * SERVER_PORT is a port outside the range, to which some of them connect.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES_MOST = 64, HELD_MOST = 900, SLICE_NS = 1000000, SECOND_NS = 1000000000 };

struct held {
    int fd;
    uint64_t since;
};

struct asker {
    struct held held[HELD_MOST]; /* a ring */
    unsigned oldest, count;
    uint64_t hold_ns;
    uint16_t server;
};

static _Atomic uint64_t *given; /* by all, in memory that they share */

static void must(int condition, const char *what) {
    if (condition)
        return;
    perror(what);
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND_NS + (uint64_t)time.tv_nsec;
}

static void sleep_until(uint64_t ns) {
    const struct timespec time = {.tv_sec = (time_t)(ns / SECOND_NS),
                                  .tv_nsec = (long)(ns % SECOND_NS)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static const struct way {
    int type;
    int option; /* of SOL_SOCKET, 0: none */
    int connects;
} ways[] = {{SOCK_STREAM, 0, 0}, {SOCK_STREAM, SO_REUSEPORT, 0}, {SOCK_DGRAM, 0, 0},
            {SOCK_STREAM, 0, 1}, {SOCK_STREAM, SO_REUSEADDR, 0}, {SOCK_DGRAM, 0, 1}};

/* A socket that was given a port, -1 where there was none. A connection ends by a reset, for
 * TIME_WAIT would use up the range. */
static int ask(const struct way *way, uint32_t address, uint16_t server) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    const struct linger reset = {.l_onoff = 1};
    const int on = 1;
    int fd = socket(AF_INET, way->type | SOCK_CLOEXEC, 0);
    must(fd >= 0, "socket");
    if (way->option != 0)
        setsockopt(fd, SOL_SOCKET, way->option, &on, sizeof on);
    if (way->connects) {
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        name.sin_port = htons(server);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    int result = way->connects ? connect(fd, (struct sockaddr *)&name, sizeof name)
                               : bind(fd, (struct sockaddr *)&name, sizeof name);
    if (result == 0)
        return fd;
    close(fd);
    return -1;
}

static void drop_oldest(struct asker *asker) {
    close(asker->held[asker->oldest].fd);
    asker->oldest = (asker->oldest + 1) % HELD_MOST;
    asker->count--;
}

static void hold(struct asker *asker, int fd) {
    if (asker->count == HELD_MOST)
        drop_oldest(asker);
    asker->held[(asker->oldest + asker->count++) % HELD_MOST] = (struct held){fd, now()};
    atomic_fetch_add(given, 1);
}

static void drop_old(struct asker *asker) {
    while (asker->count > 0 && now() - asker->held[asker->oldest].since >= asker->hold_ns)
        drop_oldest(asker);
}

/* What a busy machine made late is asked for later, but not all at once. */
static _Noreturn void be_asker(unsigned number, unsigned per_second, const struct asker *rules) {
    static struct asker asker;
    const unsigned count = sizeof ways / sizeof *ways;
    asker = *rules;
    uint64_t asked = number, begin = now(), due = 0;
    for (uint64_t done = 0;; sleep_until(now() + SLICE_NS)) {
        due = (now() - begin) * per_second / SECOND_NS;
        for (unsigned burst = 0; done < due && burst < per_second / 50 + 1; burst++, done++) {
            drop_old(&asker);
            uint32_t address = asked / count % 2 == 0 ? INADDR_LOOPBACK : INADDR_ANY;
            int fd = ask(&ways[asked++ % count], address, asker.server);
            if (fd >= 0)
                hold(&asker, fd);
        }
        drop_old(&asker);
    }
}

/* Takes each connection, and drops it when so many others have come. */
static _Noreturn void be_server(int listener) {
    static int taken[HELD_MOST];
    for (unsigned i = 0;; i = (i + 1) % HELD_MOST) {
        if (taken[i] != 0)
            close(taken[i]);
        taken[i] = accept(listener, NULL, NULL);
        must(taken[i] >= 0, "accept");
    }
}

static int listen_at(uint16_t port) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
    const struct linger reset = {.l_onoff = 1};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    must(bind(fd, (struct sockaddr *)&name, sizeof name) == 0, "bind of the server");
    must(listen(fd, SOMAXCONN) == 0, "listen");
    return fd;
}

static pid_t children[PROCESSES_MOST + 1];
static unsigned child_count;

/* true in the child. */
static int start(void) {
    pid_t parent = getpid(), child = fork();
    must(child >= 0, "fork");
    if (child != 0) {
        children[child_count++] = child;
        return 0;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
    return 1;
}

static void wait_for_end(unsigned seconds) {
    const struct timespec time = {.tv_sec = (time_t)seconds};
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigtimedwait(&ends, NULL, &time);
}

/* false where one had ended before. */
static int stop_all(void) {
    int all = 1;
    for (unsigned i = 0; i < child_count; i++)
        all = waitpid(children[i], NULL, WNOHANG) == 0 && kill(children[i], SIGKILL) == 0 && all;
    for (unsigned i = 0; i < child_count; i++)
        waitpid(children[i], NULL, 0);
    return all;
}

int main(int argc, char **argv) {
    unsigned number[5] = {0};
    sigset_t ends;
    for (int i = 1; i < argc && i < 6; i++)
        number[i - 1] = (unsigned)strtoul(argv[i], NULL, 10);
    if (argc != 6 || number[0] == 0 || number[0] > PROCESSES_MOST) {
        fprintf(stderr, "usage: strangers PROCESSES PER_SECOND HOLD_MS SERVER_PORT SECONDS\n");
        return 2;
    }
    const struct asker rules = {.hold_ns = (uint64_t)number[2] * 1000000,
                                .server = (uint16_t)number[3]};
    given = mmap(NULL, sizeof *given, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(given != MAP_FAILED, "mmap");
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    int listener = listen_at(rules.server);
    if (start())
        be_server(listener);
    for (unsigned i = 0; i < number[0]; i++)
        if (start())
            be_asker(i, number[1] / number[0], &rules);
    puts("asking");
    fflush(stdout);
    uint64_t begin = now(), before = atomic_load(given);
    wait_for_end(number[4]);
    uint64_t count = atomic_load(given) - before, spent = now() - begin;
    int all = stop_all();
    printf("%.0f\n", (double)count * SECOND_NS / (double)spent);
    return all ? 0 : 1;
}
