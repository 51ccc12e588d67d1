/*
 * A socket whose connection is being made answers a second connect with what has come of the first
 * (connect(2): EALREADY, the errno, or 0), also where the first did not wait and the second does.
 * So nothing is lost by beginning it; and what is on this machine has answered by then.
 */
#include "harness/capture/notify_connect.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>

#include "harness/capture/unrecorded.h"

enum { LOCAL_ANSWER_MS = 10 };

static bool has_time_limit(int fd) {
    struct timeval limit = {0};
    socklen_t length = sizeof limit;
    return getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &length) != 0 || limit.tv_sec != 0 ||
           limit.tv_usec != 0;
}

enum notify_connect_way notify_connect_way(int duplicate, int type) {
    int flags = fcntl(duplicate, F_GETFL);
    if (type == SOCK_DGRAM || (flags >= 0 && (flags & O_NONBLOCK) != 0))
        return NOTIFY_CONNECT_PLAIN;
    switch (notify_socket_state(duplicate)) {
    case -1:
    case TCP_SYN_SENT:
    case TCP_SYN_RECV:
        return NOTIFY_CONNECT_PASS;
    case TCP_CLOSE: /* its own connect would end at that with another errno */
        return has_time_limit(duplicate) ? NOTIFY_CONNECT_PASS : NOTIFY_CONNECT_BEGIN;
    default:
        return NOTIFY_CONNECT_PLAIN; /* EISCONN */
    }
}

/* The flag is the socket's, not the descriptor's. Nobody waits in another call on one that has no
 * connection yet. */
static void set_waits(int fd, bool waits) {
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0)
        fcntl(fd, F_SETFL, waits ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

void notify_connect_begin(int duplicate, struct notify_journal *journal) {
    atomic_store(&journal->begun, 1);
    set_waits(duplicate, false);
}

void notify_connect_restore(int duplicate, struct notify_journal *journal) {
    set_waits(duplicate, true);
    atomic_store(&journal->begun, 0);
}

static bool is_of_this_machine(int fd, const union notify_address *peer) {
    struct outside_event ends = {0};
    notify_address_store(peer, ends.peer, &ends.peer_port, NULL);
    notify_socket_local(fd, &ends);
    return ends.local_port != 0 && memcmp(ends.local, ends.peer, sizeof ends.local) == 0;
}

int notify_connect_end(int duplicate, struct notify_journal *journal,
                       const union notify_address *peer, int error) {
    struct pollfd writable = {.fd = duplicate, .events = POLLOUT};
    if (error == EINPROGRESS) {
        if (is_of_this_machine(duplicate, peer))
            poll(&writable, 1, LOCAL_ANSWER_MS);
        error = unrecorded_connect(duplicate, &peer->any, sizeof *peer) == 0 ? 0 : errno;
    }
    notify_connect_restore(duplicate, journal);
    return error;
}
