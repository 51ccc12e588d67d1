/*
 * left_narrow CYCLES: binds CYCLES times, which fills a small trace, and then has a thread
 * cancelled inside connect and inside sendto on sockets without a port. Prints whether the sockets
 * have their port range (IP_LOCAL_PORT_RANGE, ip(7)) as before, and a port that the kernel gives
 * one of them.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

static struct sockaddr_in any_port(unsigned port) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* The request is there already when the call is made, so no time has to pass. */
static void cancel_self(void) {
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    pthread_cancel(pthread_self());
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
}

static void *connect_cancelled(void *socket) {
    struct sockaddr_in peer = any_port(9);
    cancel_self();
    connect(*(int *)socket, (struct sockaddr *)&peer, sizeof peer);
    return NULL;
}

static void *send_cancelled(void *socket) {
    struct sockaddr_in peer = any_port(9);
    cancel_self();
    sendto(*(int *)socket, "x", 1, 0, (struct sockaddr *)&peer, sizeof peer);
    return NULL;
}

static void leave(const char *what, int type, void *(*call)(void *)) {
    int fd = socket(AF_INET, type, 0);
    unsigned range = 1;
    socklen_t length = sizeof range;
    pthread_t thread;
    void *result = NULL;
    if (pthread_create(&thread, NULL, call, &fd) != 0)
        exit(3);
    pthread_join(thread, &result);
    getsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, &length);
    printf("%s: %s, range %s\n", what, result == PTHREAD_CANCELED ? "cancelled" : "returned",
           range == 0 ? "as before" : "narrowed");
    close(fd);
}

int main(int argc, char **argv) {
    struct sockaddr_in address = any_port(0);
    for (int i = 0; i < (argc > 1 ? atoi(argv[1]) : 0); i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
            return 3;
        close(fd);
    }
    leave("connect", SOCK_STREAM, connect_cancelled);
    leave("sendto", SOCK_DGRAM, send_cancelled);
    return 0;
}
