/*
 * Picks a free port, releases it in one way or another, and binds it again: as one process, in
 * which another thread asks for ports meanwhile, or as several.
 *
 *   release_ways pick HOW             prints a free port, which is released as the process ends
 *   release_ways bind udp|tcp PORT    0 if it could be bound, 1 if it was in use
 *   release_ways ask udp|tcp MS       asks until it is killed, for a minute at most, and keeps each
 *                                     port so long
 *   release_ways threads HOW TIMES    prints how many times the port was lost to the other thread
 *   release_ways alone HOW TIMES      the same without the other thread
 *
 * HOW: close, close-range, closefrom, dup2, fclose, shutdown, and in pick: exit, _exit, kill, exec;
 * udp-HOW: over UDP.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HIGH_DESCRIPTOR = 200 }; /* what is above is closed by a range */

static bool is_udp;

static int bound(unsigned port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((in_port_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static unsigned port_of(int fd) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    getsockname(fd, (struct sockaddr *)&address, &length);
    return ntohs(address.sin_port);
}

static const char *way_of(const char *how) {
    is_udp = strncmp(how, "udp-", 4) == 0;
    return is_udp ? how + 4 : how;
}

static void end_process(const char *way) {
    if (strcmp(way, "exit") == 0)
        exit(0);
    if (strcmp(way, "_exit") == 0)
        _exit(0);
    if (strcmp(way, "kill") == 0)
        raise(SIGKILL);
    if (strcmp(way, "exec") == 0)
        execl("/bin/true", "true", (char *)NULL);
}

static void release(int fd, const char *way) {
    if (strcmp(way, "close-range") == 0) {
        int high = dup2(fd, HIGH_DESCRIPTOR);
        close(fd);
        close_range((unsigned)high, ~0U, 0);
    } else if (strcmp(way, "closefrom") == 0) {
        int high = dup2(fd, HIGH_DESCRIPTOR);
        close(fd);
        closefrom(high);
    } else if (strcmp(way, "dup2") == 0) {
        dup2(STDERR_FILENO, fd);
        close(fd);
    } else if (strcmp(way, "fclose") == 0) {
        fclose(fdopen(fd, "r+"));
    } else if (strcmp(way, "shutdown") == 0) {
        listen(fd, 1);
        shutdown(fd, SHUT_RDWR);
        close(fd);
    } else if (strcmp(way, "close") == 0) {
        close(fd);
    } else {
        end_process(way);
    }
}

static void pause_ms(long ms) {
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static int pick(const char *how) {
    const char *way = way_of(how);
    int fd = bound(0);
    printf("%u\n", port_of(fd));
    fflush(stdout);
    release(fd, way);
    return 0;
}

static int ask(long ms) {
    alarm(60);
    while (ms >= 0) {
        int fd = bound(0);
        pause_ms(ms);
        close(fd);
    }
    return 2;
}

static void *ask_beside(void *is_over) {
    while (!*(volatile bool *)is_over) {
        int fd = bound(0);
        pause_ms(1);
        close(fd);
    }
    return NULL;
}

static int lose(const char *how, int times, bool beside) {
    const char *way = way_of(how);
    volatile bool is_over = false;
    pthread_t thread;
    int lost = 0;
    if (beside && pthread_create(&thread, NULL, ask_beside, (void *)&is_over) != 0)
        return 9;
    pause_ms(beside ? 20 : 0);
    for (int i = 0; i < times; i++) {
        int fd = bound(0);
        unsigned port = port_of(fd);
        release(fd, way);
        int again = bound(port);
        lost += again < 0 && errno != 0;
        if (again >= 0)
            close(again);
    }
    is_over = true;
    if (beside)
        pthread_join(thread, NULL);
    printf("lost %d of %d\n", lost, times);
    return 0;
}

int main(int count, char **words) {
    if (count == 3 && strcmp(words[1], "pick") == 0)
        return pick(words[2]);
    if (count != 4)
        return 2;
    if (strcmp(words[1], "threads") == 0 || strcmp(words[1], "alone") == 0)
        return lose(words[2], atoi(words[3]), words[1][0] == 't');
    is_udp = strcmp(words[2], "udp") == 0;
    if (strcmp(words[1], "bind") == 0)
        return bound((unsigned)atoi(words[3])) < 0;
    return ask(atol(words[3]));
}
