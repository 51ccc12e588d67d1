/* The side of a connection that closes first keeps TIME_WAIT, which would hold the port beyond the
 * round; so a publisher waits for its client to reset. */
#include "harness/storm/answer.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENT_TIMEOUT_MS = 2000 };

static void answer_connection(const struct publisher *publisher, int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    char rest;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (send(fd, &publisher->answer, sizeof publisher->answer, MSG_NOSIGNAL) > 0 &&
        poll(&wait, 1, CLIENT_TIMEOUT_MS) > 0)
        (void)recv(fd, &rest, 1, MSG_DONTWAIT);
    close(fd);
}

static void answer_datagram(const struct publisher *publisher, int fd) {
    char question;
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    if (recvfrom(fd, &question, 1, MSG_DONTWAIT, (struct sockaddr *)&from, &length) < 0)
        return;
    (void)sendto(fd, &publisher->answer, sizeof publisher->answer, MSG_DONTWAIT | MSG_NOSIGNAL,
                 (struct sockaddr *)&from, length);
}

void answer_until_event(struct publisher *publisher) {
    struct pollfd waits[PUBLISH_MAPPINGS_MAX + 1];
    uint32_t count = publisher->settings->mappings;
    for (uint32_t i = 0; i < count; i++)
        waits[i] = (struct pollfd){.fd = publisher->publications[i].socket, .events = POLLIN};
    waits[count] = (struct pollfd){.fd = publisher->phase_event, .events = POLLIN};
    while (poll(waits, count + 1, -1) >= 0 || errno == EINTR) {
        for (uint32_t i = 0; i < count; i++) {
            if ((waits[i].revents & POLLIN) == 0)
                continue;
            if (publisher->publications[i].endpoint.protocol == IPPROTO_UDP)
                answer_datagram(publisher, waits[i].fd);
            else
                answer_connection(publisher, waits[i].fd);
        }
        if (waits[count].revents != 0)
            return;
    }
}
