/*
 * A notified program's port is kept as soon as it is bound: Go's net.Listen binds, listens and
 * reads the number in one go, and nobody can bind beside a listener. Whether a socket that listens
 * was bound by number is not known, nor who is bound beside it.
 */
#include "harness/capture/notify_keep.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/capture/notify_socket.h"
#include "harness/capture/unrecorded.h"
#include "shim/shared/keep_ask.h"
#include "shim/shared/keep_socket.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static bool has_protocol(const struct outside_event *event) {
    return event->protocol == IPPROTO_TCP || event->protocol == IPPROTO_UDP ||
           event->protocol == IPPROTO_MPTCP;
}

static struct keep_socket socket_of(int duplicate, const struct outside_event *event,
                                    _Atomic bool *shared) {
    return (struct keep_socket){.fd = duplicate,
                                .is_udp = event->protocol == IPPROTO_UDP,
                                .only_v6 = (event->flags & PW_FLAG_V6ONLY) != 0,
                                .may_share = (event->flags & PW_FLAG_REUSEADDR) != 0,
                                .may_join = (event->flags & PW_FLAG_REUSEPORT) != 0,
                                .family = event->family,
                                .device = event->device,
                                .uid = event->uid,
                                .cookie = event->cookie,
                                .netns = event->netns,
                                .changed = shared};
}

static struct keep_place local_place(int duplicate) {
    struct outside_event local = {.local_port = 0};
    notify_socket_local(duplicate, &local);
    struct keep_place place = {.scope = local.scope, .port = local.local_port};
    memcpy(place.address, local.local, sizeof place.address);
    return place;
}

static struct keep_place requested_place(const struct outside_event *event) {
    struct keep_place place = {.scope = event->scope, .port = event->requested_port};
    memcpy(place.address, event->requested, sizeof place.address);
    return place;
}

/* A request for port 0; ports that are kept may be given up for it. */
static long ask_for_any(const struct keep_socket *socket, int full, long (*call)(const void *),
                        const void *arguments) {
    long result = call(arguments);
    for (unsigned tried = 0;
         result < 0 && errno == full && tried < KEEP_TRIES_FOR_ROOM && keep_make_room(socket);
         tried++)
        result = call(arguments);
    return result;
}

static void keep_local(const struct keep_socket *socket) {
    const struct keep_place place = local_place(socket->fd);
    int before = errno;
    if (place.port != 0)
        keep_beside(socket, &place);
    errno = before;
}

static long bind_any(const struct keep_socket *socket, long (*call)(const void *),
                     const void *arguments) {
    long result = ask_for_any(socket, EADDRINUSE, call, arguments);
    if (result == 0)
        keep_local(socket);
    return result;
}

/* What gets its port by the listen is bound before it, at the address that it has, so that there is
 * one to keep. */
static long listen_kept(const struct keep_socket *socket, const struct outside_event *event,
                        long (*call)(const void *), const void *arguments) {
    struct sockaddr_storage local;
    socklen_t length = sizeof local;
    if (event->local_port == 0 &&
        getsockname(socket->fd, (struct sockaddr *)&local, &length) == 0) {
        (void)unrecorded_bind(socket->fd, (const struct sockaddr *)&local, length);
        keep_local(socket);
    }
    const struct keep_place place = local_place(socket->fd);
    return keep_listen(socket, &place, false, call, arguments);
}

static long bind_number(const struct keep_socket *socket, struct outside_event *event,
                        long (*call)(const void *), const void *arguments) {
    const struct keep_place place = requested_place(event);
    bool handed;
    long result = keep_bind(socket, &place, call, arguments, &handed);
    if (handed)
        event->flags |= PW_FLAG_POLICY_KEPT;
    return result;
}

long notify_keep_call(int duplicate, struct outside_event *event, long (*call)(const void *),
                      const void *arguments, _Atomic bool *shared) {
    if (keep_area() == NULL || !has_protocol(event))
        return call(arguments);
    const struct keep_socket socket = socket_of(duplicate, event, shared);
    switch (event->kind) {
    case OUTSIDE_BIND:
        return event->requested_port != 0 ? bind_number(&socket, event, call, arguments)
                                          : bind_any(&socket, call, arguments);
    case OUTSIDE_LISTEN:
        return socket.is_udp ? call(arguments) : listen_kept(&socket, event, call, arguments);
    default:
        return ask_for_any(&socket, socket.is_udp ? EAGAIN : EADDRNOTAVAIL, call, arguments);
    }
}

void notify_keep_refused(const struct outside_event *event) {
    if (event->kind != OUTSIDE_BIND || event->error != EADDRINUSE || !event->ours ||
        event->requested_port == 0 || !has_protocol(event))
        return;
    const struct keep_socket socket = socket_of(-1, event, NULL);
    const struct keep_place place = requested_place(event);
    if (keep_release(&socket, &place))
        keep_count(PW_KEEP_REFUSED);
}
