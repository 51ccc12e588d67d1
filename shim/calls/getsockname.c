/* getsockname: only a number that the program read can be one that it relies on. What the program
 * got is not looked at: its buffer may be shorter than an address, or none at all. */
#include "shim/policy.h"
#include "shim/process.h"
#include "shim/real.h"
#include "shim/sockets.h"

static void note_read(int fd, struct socket_facts *facts, const void *site) {
    struct record record;
    if (policy_on)
        policy_note_read(facts, facts->port);
    if (socket_mark_read(facts->cookie, facts->port))
        return;
    struct endpoint local = socket_local(fd);
    if (local.family == 0 || local.port == 0)
        return;
    if (local.port != facts->port) {
        if (!socket_known(fd, facts, true))
            return;
        facts->port = local.port;
        facts->flags &= ~DESCRIPTOR_READ;
    }
    if ((facts->flags & DESCRIPTOR_READ) != 0)
        return;
    facts->flags |= DESCRIPTOR_READ;
    socket_keep(fd, facts);
    /* When the number is known to the program is what counts: the moment after the call. */
    struct call_context context = {.number = NUMBER_getsockname,
                                   .site = site,
                                   .begin_ns = monotonic_ns(),
                                   .flags = PW_FLAG_PORT(local.port)};
    if (socket_record_begin(&record, PW_KIND_ADDRESS_READ, 1, fd, facts, &context))
        record_commit(&record, context.begin_ns);
}

int call_getsockname(int fd, struct sockaddr *address, socklen_t *length, const void *site) {
    struct socket_facts facts;
    if (gate() != GATE_OPEN)
        return real.getsockname(fd, address, length);
    int result = real.getsockname(fd, address, length);
    if (result == 0 && socket_known(fd, &facts, false))
        note_read(fd, &facts, site);
    return result;
}
