/* Many threads that bind at once. Usage: bind_threads THREADS BINDS. Prints, a line each, the
 * thread's id, the number of the bind in it, and the port that the kernel gave: its own oracle. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct worker {
    pthread_t thread;
    long id;
    unsigned binds;
    uint16_t *ports; /* 0: failed */
};

static uint16_t bind_once(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        address.sin_port = 0;
    if (fd >= 0 && close(fd) != 0)
        address.sin_port = 0;
    return ntohs(address.sin_port);
}

static void *work(void *argument) {
    struct worker *worker = argument;
    worker->id = syscall(SYS_gettid);
    for (unsigned i = 0; i < worker->binds; i++)
        worker->ports[i] = bind_once();
    return NULL;
}

int main(int argc, char **argv) {
    unsigned threads = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    unsigned binds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    struct worker *workers = calloc(threads, sizeof *workers);

    if (threads == 0 || binds == 0 || workers == NULL)
        return 2;
    for (unsigned i = 0; i < threads; i++) {
        workers[i].binds = binds;
        workers[i].ports = calloc(binds, sizeof *workers[i].ports);
        if (workers[i].ports == NULL ||
            pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            return 2;
    }
    for (unsigned i = 0; i < threads; i++)
        if (pthread_join(workers[i].thread, NULL) != 0)
            return 2;
    for (unsigned i = 0; i < threads; i++)
        for (unsigned bind = 0; bind < binds; bind++)
            printf("%ld %u %u\n", workers[i].id, bind, workers[i].ports[bind]);
    return fflush(stdout) == 0 ? 0 : 1;
}
