/*
 * The plainest guest: threads that ask for port 0 in a loop. It checks what the shim must not
 * change - descriptor numbers, errno, the address - and says how often it succeeded.
 *
 *   bind_loop THREADS ROUNDS [say]    ROUNDS 0: for ever
 *
 * With "say" it writes "PID PORT" after each bind, in one write.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static long rounds;
static int speaks;
static _Atomic long succeeded, failed;

static void say(in_port_t port) {
    char line[32];
    int length = snprintf(line, sizeof line, "%d %d\n", (int)getpid(), ntohs(port));
    if (write(1, line, (size_t)length) != length)
        _exit(4);
}

/* With one thread the numbers and errno can be checked; close(fd) twice would hit another thread's.
 */
static int bind_once(int alone) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    errno = ENOTNAM;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int good = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
               getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
               address.sin_port != 0 && length == sizeof address && errno == ENOTNAM;
    if (speaks)
        say(address.sin_port);
    good = good && close(fd) == 0;
    return good && (!alone || (close(fd) == -1 && errno == EBADF));
}

static void *run(void *alone) {
    for (long i = 0; rounds == 0 || i < rounds; i++)
        atomic_fetch_add(bind_once(alone != NULL) ? &succeeded : &failed, 1);
    return NULL;
}

int main(int count, char **arguments) {
    pthread_t threads[256];
    int wanted = count >= 3 ? atoi(arguments[1]) : 0;
    if (wanted < 1 || wanted > 256)
        return 2;
    rounds = atol(arguments[2]);
    speaks = count > 3;
    if (wanted == 1)
        run(threads);
    for (int i = 0; wanted > 1 && i < wanted; i++)
        if (pthread_create(&threads[i], NULL, run, NULL) != 0)
            return 3;
    for (int i = 0; wanted > 1 && i < wanted; i++)
        pthread_join(threads[i], NULL);
    int next = dup(0);
    printf("succeeded %ld, failed %ld, next descriptor %d\n", succeeded, failed, next);
    return failed != 0;
}
