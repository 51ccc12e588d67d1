/* accept: a new socket on the listener's port, which it keeps taken after the listener is closed.
 * The record is taken when there is something to report, so a thread that waits leaves nothing
 * torn. */
#include "shim/gate.h"
#include "shim/process/sandbox.h"
#include "shim/real.h"
#include "shim/socket/sockets.h"

static void note_accepted(int fd, int listener, const struct call_context *context) {
    struct socket_facts facts;
    struct record record;
    if (fd < 0 || gate() != GATE_OPEN)
        return;
    if (!descriptor_copy(listener, &facts)) {
        descriptor_clear(fd);
        return;
    }
    uint64_t listener_cookie = facts.cookie;
    facts.cookie = socket_cookie_of_new(fd);
    facts.flags &= ~((uint32_t)PW_FLAG_LISTENING | (uint32_t)PW_FLAG_BY_NUMBER | DESCRIPTOR_READ |
                     DESCRIPTOR_SOURCE);
    facts.flags |= DESCRIPTOR_KEPT; /* what is kept of the port is the listener's matter */
    struct ip_endpoint local = socket_local(fd);
    struct ip_endpoint remote = socket_remote(fd);
    if (!sandbox_is_on()) /* else it is the listener's */
        facts.port = local.port;
    socket_keep(fd, &facts);
    if (!socket_record_begin(&record, PW_KIND_ACCEPT, 3, fd, &facts, context))
        return;
    record_assigned(&record, &local);
    record_peer(&record, &remote);
    record.units[2].peer.other_descriptor = listener;
    record.units[2].peer.other_cookie = listener_cookie;
    record_commit(&record, 0);
}

int call_accept(int fd, struct sockaddr *address, socklen_t *length, const void *site) {
    struct call_context context = {
        .number = NUMBER_accept, .site = site, .begin_ns = monotonic_ns()};
    int accepted = real.accept(fd, address, length);
    note_accepted(accepted, fd, &context);
    return accepted;
}

int call_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags, const void *site) {
    struct call_context context = {
        .number = NUMBER_accept4, .site = site, .begin_ns = monotonic_ns()};
    int accepted = real.accept4(fd, address, length, flags);
    note_accepted(accepted, fd, &context);
    return accepted;
}
