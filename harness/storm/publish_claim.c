/* The claim is appended by the publisher itself, at the moment in which it believes it; the storm
 * could only repeat what it was given. */
#include "harness/storm/publish_claim.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "shim/shared/recorder.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static uint64_t cookie_of(int fd, int option) {
    uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    if (fd < 0 || getsockopt(fd, SOL_SOCKET, option, &cookie, &length) != 0)
        return 0;
    return cookie;
}

void claim_write(struct publisher *publisher, const struct publication *publication,
                 const struct endpoint *endpoint) {
    const struct publish_mapping *mapping = publication->mapping;
    size_t length = strlen(mapping->name);
    struct record record;
    if (publisher->netns == 0)
        publisher->netns = cookie_of(publication->socket, SO_NETNS_COOKIE);
    if (!record_begin(&record, PW_KIND_CLAIM, 2 + record_text_units(length, 2),
                      publisher->slot->serial, publication->socket, monotonic_ns()))
        return;
    struct pw_start *start = &record.units[0].start;
    struct pw_socket *socket = &record.units[1].socket;
    start->source = PW_SOURCE_SUPERVISOR;
    start->thread = publisher->pid;
    start->cookie = cookie_of(publication->socket, SO_COOKIE);
    start->flags = PW_FLAG_HAS_REQUESTED | PW_FLAG_HAS_ASSIGNED;
    socket->family = endpoint->family;
    socket->type = endpoint->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
    socket->protocol = endpoint->protocol;
    socket->netns = publisher->netns;
    memcpy(socket->requested, mapping->endpoint.address, sizeof socket->requested);
    memcpy(socket->assigned, endpoint->address, sizeof socket->assigned);
    socket->requested_port = mapping->host_port > 0 ? (uint16_t)mapping->host_port : 0;
    socket->assigned_port = endpoint->port;
    socket->scope = endpoint->scope;
    socket->uid = publisher->uid;
    if (!record_text(&record, 2, mapping->name, length))
        start->flags |= PW_FLAG_TEXT_CUT;
    record_commit(&record, 0);
}
