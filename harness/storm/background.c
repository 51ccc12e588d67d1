/* The taker of a number is often not a server but an outgoing connection, which holds its source
 * port like any other socket. These connections are closed with a reset: their TIME_WAIT would soon
 * fill a narrow range, and a storm lasts longer than that. */
#include "harness/storm/background.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { AT_A_TIME = 8, BACKLOG = 4096, PAUSE_US = 500, PORTS_TRIED = 2000 };

static void reset_on_close(int fd) {
    const struct linger reset = {.l_onoff = 1};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

static int listen_outside(unsigned low, unsigned high, struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned port = high < 65535 - PORTS_TRIED ? high + 1 : low > 1024 + PORTS_TRIED ? 1024 : 0;
    for (int i = 0; i < PORTS_TRIED; i++) {
        address->sin_port = htons((uint16_t)(port == 0 ? 0 : port + (unsigned)i));
        if (bind(fd, (struct sockaddr *)address, sizeof *address) != 0)
            continue;
        socklen_t length = sizeof *address;
        if (listen(fd, BACKLOG) == 0 && getsockname(fd, (struct sockaddr *)address, &length) == 0)
            return fd;
        break;
    }
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* A pair of connected sockets holds a source port until the client is closed, which comes first. */
struct pair {
    int client;
    int server;
};

static void close_pair(struct pair *pair) {
    if (pair->client >= 0)
        close(pair->client);
    if (pair->server >= 0)
        close(pair->server);
    *pair = (struct pair){-1, -1};
}

static void open_pair(struct pair *pair, int listener, const struct sockaddr_in *address) {
    pair->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (pair->client < 0)
        return;
    reset_on_close(pair->client);
    if (connect(pair->client, (const struct sockaddr *)address, sizeof *address) == 0 ||
        errno == EINPROGRESS)
        pair->server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

static _Noreturn void connect_forever(unsigned low, unsigned high) {
    struct pair pairs[AT_A_TIME];
    struct sockaddr_in address;
    const struct timespec pause = {.tv_nsec = PAUSE_US * 1000};
    int listener = listen_outside(low, high, &address);
    if (listener < 0)
        _exit(1);
    memset(pairs, 0xff, sizeof pairs);
    for (unsigned i = 0;; i = (i + 1) % AT_A_TIME) {
        close_pair(&pairs[i]);
        open_pair(&pairs[i], listener, &address);
        nanosleep(&pause, NULL);
    }
}

bool background_start(struct background *background, unsigned count, unsigned low, unsigned high) {
    *background = (struct background){0};
    if (count == 0)
        return true;
    background->pids = calloc(count, sizeof *background->pids);
    if (background->pids == NULL)
        return false;
    for (unsigned i = 0; i < count; i++) {
        pid_t pid = fork();
        if (pid < 0)
            return false;
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            signal(SIGINT, SIG_IGN);
            signal(SIGTERM, SIG_DFL);
            connect_forever(low, high);
        }
        background->pids[background->count++] = pid;
    }
    return true;
}

void background_stop(struct background *background) {
    for (unsigned i = 0; i < background->count; i++)
        kill(background->pids[i], SIGKILL);
    for (unsigned i = 0; i < background->count; i++)
        while (waitpid(background->pids[i], NULL, 0) < 0 && errno == EINTR)
            ;
    free(background->pids);
    *background = (struct background){0};
}
