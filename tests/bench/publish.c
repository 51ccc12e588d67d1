/*
 * What publishing ports costs without the shim: as many processes as a storm has, doing the system
 * calls that its strategy `hold` does, in rounds that begin for all at the same moment.
 * scripts/bench compares the figure with what `portwitness storm` says of itself.
 *
 *   publish PROCESSES ROUNDS   prints the ports a second
 *
 * A port is a socket, a bind to port 0, the address read, and a listen; four a process, as the
 * storm's built-in mappings: three of TCP and one of UDP. The time is from the start of a round to
 * the last process's last port.
 */
#include <limits.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAPPINGS = 4, PROCESSES_MAX = 4000, BACKLOG = 64 };

struct shared {
    _Atomic uint32_t round;
    _Atomic uint32_t published; /* processes that have, in this round */
    _Atomic uint32_t freed;
    _Atomic uint64_t last_ns;
};

static const struct {
    int type;
    uint32_t address;
} mappings[MAPPINGS] = {{SOCK_STREAM, INADDR_LOOPBACK},
                        {SOCK_STREAM, INADDR_LOOPBACK},
                        {SOCK_STREAM, INADDR_ANY},
                        {SOCK_DGRAM, INADDR_ANY}};

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

static void sleep_on(_Atomic uint32_t *word, uint32_t seen) {
    syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static void wake(_Atomic uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static int publish_one(unsigned index) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(mappings[index].address)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, mappings[index].type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    must(fd >= 0, "socket");
    must(bind(fd, (struct sockaddr *)&address, length) == 0, "bind");
    must(getsockname(fd, (struct sockaddr *)&address, &length) == 0, "getsockname");
    must(address.sin_port != 0, "the kernel assigned no port");
    must(mappings[index].type == SOCK_DGRAM || listen(fd, BACKLOG) == 0, "listen");
    return fd;
}

/* Raises the counter; the last one wakes whoever waits for it. */
static void arrive(_Atomic uint32_t *counter, uint32_t processes) {
    if (atomic_fetch_add(counter, 1) + 1 == processes)
        wake(counter);
}

static void await_all(_Atomic uint32_t *counter, uint32_t processes) {
    uint32_t seen;
    while ((seen = atomic_load(counter)) != processes)
        sleep_on(counter, seen);
}

static void publish(struct shared *shared, uint32_t rounds, uint32_t processes) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (uint32_t round = 1; round <= rounds; round++) {
        int sockets[MAPPINGS];
        while (atomic_load(&shared->round) < 2 * round - 1)
            sleep_on(&shared->round, 2 * round - 2);
        for (unsigned i = 0; i < MAPPINGS; i++)
            sockets[i] = publish_one(i);
        uint64_t ns = now();
        uint64_t last = atomic_load(&shared->last_ns);
        while (last < ns && !atomic_compare_exchange_weak(&shared->last_ns, &last, ns))
            ;
        arrive(&shared->published, processes);
        while (atomic_load(&shared->round) < 2 * round)
            sleep_on(&shared->round, 2 * round - 1);
        for (unsigned i = 0; i < MAPPINGS; i++)
            close(sockets[i]);
        arrive(&shared->freed, processes);
    }
}

static void next_phase(struct shared *shared, uint32_t phase) {
    atomic_store(&shared->round, phase);
    wake(&shared->round);
}

int main(int argc, char **argv) {
    uint32_t processes = argc == 3 ? (uint32_t)atoi(argv[1]) : 0;
    uint32_t rounds = argc == 3 ? (uint32_t)atoi(argv[2]) : 0;
    if (processes < 1 || processes > PROCESSES_MAX || rounds < 1) {
        fprintf(stderr, "usage: publish PROCESSES ROUNDS\n");
        return 2;
    }
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(shared != MAP_FAILED, "mmap");
    for (uint32_t i = 0; i < processes; i++) {
        pid_t child = fork();
        must(child >= 0, "fork");
        if (child == 0) {
            publish(shared, rounds, processes);
            _exit(0);
        }
    }
    uint64_t spent = 0;
    usleep(100000); /* all of them wait by now */
    for (uint32_t round = 1; round <= rounds; round++) {
        atomic_store(&shared->published, 0);
        atomic_store(&shared->freed, 0);
        uint64_t begin = now();
        next_phase(shared, 2 * round - 1);
        await_all(&shared->published, processes);
        spent += atomic_load(&shared->last_ns) - begin;
        next_phase(shared, 2 * round);
        await_all(&shared->freed, processes);
    }
    while (wait(NULL) > 0)
        ;
    printf("%.0f\n", (double)processes * MAPPINGS * rounds * 1e9 / (double)spent);
    return 0;
}
