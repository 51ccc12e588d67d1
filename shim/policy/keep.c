/* What the shim knows of a socket, for the policy `keep`. A number may be known once it was read;
 * but nobody can bind beside a socket that listens, so a listener's port is kept before. */
#include "shim/policy/keep.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "shim/process/notified_pass.h"
#include "shim/process/sandbox.h"
#include "shim/shared/keep_ask.h"
#include "shim/shared/keep_socket.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

bool keep_on;

static bool is_udp(const struct socket_facts *facts) { return facts->protocol == IPPROTO_UDP; }

static bool has_protocol(const struct socket_facts *facts) {
    return is_udp(facts) || facts->protocol == IPPROTO_TCP || facts->protocol == IPPROTO_MPTCP;
}

static struct keep_socket socket_of(int fd, const struct socket_facts *facts,
                                    _Atomic bool *shared) {
    return (struct keep_socket){.fd = fd,
                                .is_udp = is_udp(facts),
                                .only_v6 = (facts->flags & PW_FLAG_V6ONLY) != 0,
                                .may_share = (facts->flags & PW_FLAG_REUSEADDR) != 0,
                                .may_join = (facts->flags & PW_FLAG_REUSEPORT) != 0,
                                .family = facts->family,
                                .device = facts->device,
                                .uid = facts->uid,
                                .cookie = facts->cookie,
                                .netns = facts->netns,
                                .changed = shared};
}

static struct keep_place place_of(const struct ip_endpoint *endpoint) {
    struct keep_place place = {.scope = endpoint->scope, .port = endpoint->port};
    memcpy(place.address, endpoint->address, sizeof place.address);
    return place;
}

/* One that was accepted before this program was executed, say: its port was given to the listener.
 */
static bool is_connection(int fd, const struct socket_facts *facts) {
    return !is_udp(facts) && socket_remote(fd).port != 0;
}

/* Once a socket, whether it could be kept or not; and where it is read, again if its time is over:
 * where any had to be given up for others, they would push each other out at each read. Not at a
 * listen, before which the socket may have lost the port that it still shows. */
static bool is_done(const struct socket_facts *facts, bool is_read) {
    if ((facts->flags & DESCRIPTOR_KEPT) == 0)
        return false;
    return !is_read || (facts->flags & DESCRIPTOR_WAS_KEPT) == 0 || keep_is_crowded() ||
           keep_cookie(is_udp(facts), facts->port) != 0;
}

/* Changes the entry's flags alone: the program may have set an option meanwhile, in another thread,
 * which then was not ours to take back. */
static void note_kept(int fd, struct socket_facts *facts, bool kept) {
    struct socket_facts now;
    facts->flags =
        (facts->flags & ~DESCRIPTOR_WAS_KEPT) | DESCRIPTOR_KEPT | (kept ? DESCRIPTOR_WAS_KEPT : 0);
    if (!descriptor_copy(fd, &now) || now.cookie != facts->cookie)
        return;
    const uint32_t ours = DESCRIPTOR_KEPT | DESCRIPTOR_WAS_KEPT;
    bool is_new = (now.flags & ~facts->flags & (uint32_t)PW_FLAG_REUSEADDR) != 0;
    now.flags = (now.flags & ~ours) | (facts->flags & ours);
    facts->flags = now.flags;
    socket_keep(fd, &now);
    if (is_new)
        keep_share(fd);
}

static void keep_port(int fd, struct socket_facts *facts, bool is_read, _Atomic bool *shared) {
    const uint32_t never = DESCRIPTOR_SOURCE | DESCRIPTOR_NAMED | (uint32_t)PW_FLAG_LISTENING;
    if ((facts->flags & never) != 0 || !has_protocol(facts) || is_done(facts, is_read))
        return;
    if (!sandbox_pledge()) {
        keep_count(PW_KEEP_NOT_KEPT);
        note_kept(fd, facts, false);
        return;
    }
    const struct ip_endpoint local = socket_local(fd);
    const struct keep_place place = place_of(&local);
    const struct keep_socket socket = socket_of(fd, facts, shared);
    if (local.port != 0)
        note_kept(fd, facts, !is_connection(fd, facts) && keep_beside(&socket, &place));
    sandbox_pledge_kept();
}

void keep_note_read(int fd, struct socket_facts *facts, _Atomic bool *shared) {
    int before = errno;
    keep_port(fd, facts, true, shared);
    errno = before;
}

long keep_bind_by_number(int fd, const struct socket_facts *facts, const struct ip_endpoint *wanted,
                         long (*call)(const void *), const void *arguments, bool *handed,
                         _Atomic bool *shared) {
    *handed = false;
    if (!has_protocol(facts) || wanted->port == 0)
        return call(arguments);
    const struct keep_place place = place_of(wanted);
    const struct keep_socket socket = socket_of(fd, facts, shared);
    int before = errno;
    bool pledged = sandbox_pledge();
    long result = keep_bind(&socket, &place, call, arguments, handed);
    if (result == 0)
        errno = before;
    if (pledged)
        sandbox_pledge_kept();
    return result;
}

/* As the listen would (listen(2), inet_autobind), at the address that the socket has: a bind that
 * was to give no port (IP_BIND_ADDRESS_NO_PORT) gave it one. So that there is a port to keep before
 * it. */
static void bind_to_any(int fd) {
    struct sockaddr_storage local;
    socklen_t length = sizeof local;
    if (pass_getsockname(fd, (struct sockaddr *)&local, &length) == 0)
        (void)pass_bind(fd, (const struct sockaddr *)&local, length);
}

long keep_around_listen(int fd, struct socket_facts *facts, bool unbound,
                        long (*call)(const void *), const void *arguments, _Atomic bool *shared) {
    if (!has_protocol(facts) || is_udp(facts))
        return call(arguments);
    int before = errno;
    bool pledged = sandbox_pledge();
    if (unbound && pledged && socket_local(fd).port == 0)
        bind_to_any(fd);
    keep_port(fd, facts, false, shared);
    errno = before;
    const struct ip_endpoint local = socket_local(fd);
    struct keep_place place = place_of(&local);
    if (local.port == 0 && (facts->flags & DESCRIPTOR_KEPT) != 0)
        place.port = facts->port; /* in a sandbox: on whatever address */
    const struct keep_socket socket = socket_of(fd, facts, shared);
    bool alone = (facts->flags & (DESCRIPTOR_KEPT | DESCRIPTOR_SHARED)) == DESCRIPTOR_KEPT;
    long result = keep_listen(&socket, &place, alone, call, arguments);
    if (result == 0)
        errno = before;
    if (pledged)
        sandbox_pledge_kept();
    return result;
}

/* EAGAIN of a send may also be that the data found no room; then the socket has its port. */
static bool is_full(enum policy_call kind, int fd, const struct socket_facts *facts, int error) {
    switch (kind) {
    case POLICY_CONNECT:
        return error == (is_udp(facts) ? EAGAIN : EADDRNOTAVAIL);
    case POLICY_SEND:
        return error == EAGAIN && socket_local(fd).port == 0;
    default:
        return error == EADDRINUSE;
    }
}

bool keep_gave_room(enum policy_call kind, int fd, const struct socket_facts *facts, int error) {
    if (!has_protocol(facts) || !is_full(kind, fd, facts, error))
        return false;
    const struct keep_socket socket = socket_of(fd, facts, NULL);
    return keep_make_room(&socket);
}
