/* getsockname: only a number that the program read can be one that it relies on. */
#include <string.h>

#include "shim/process.h"
#include "shim/real.h"
#include "shim/sockets.h"

static void note_read(int fd, const struct sockaddr *address, socklen_t length,
                      const struct call_context *context) {
    struct socket_facts facts;
    struct record record;
    /* The kernel has just written at least the family and the port, and tells the whole length. */
    struct endpoint local = endpoint_of(address, length);
    if (local.family == 0 || local.port == 0 || !descriptor_copy(fd, &facts))
        return;
    if (local.port != facts.port) {
        if (!socket_known(fd, &facts, true))
            return;
        local = socket_local(fd);
        facts.port = local.port;
        facts.flags &= ~DESCRIPTOR_READ;
    }
    if ((facts.flags & DESCRIPTOR_READ) != 0)
        return;
    facts.flags |= DESCRIPTOR_READ;
    socket_keep(fd, &facts);
    if (!socket_record_begin(&record, PW_KIND_ADDRESS_READ, 2, fd, &facts, context))
        return;
    record_assigned(&record, &local);
    record_commit(&record, 0);
}

int call_getsockname(int fd, struct sockaddr *address, socklen_t *length, const void *site) {
    struct socket_facts unknown;
    if (gate() != GATE_OPEN)
        return real.getsockname(fd, address, length);
    struct call_context context = {.number = NUMBER_getsockname, .site = site};
    bool is_known = descriptor_find(fd) != NULL;
    context.begin_ns = is_known ? monotonic_ns() : 0;
    int result = real.getsockname(fd, address, length);
    if (result < 0 ||
        (!is_known && address->sa_family != AF_INET && address->sa_family != AF_INET6))
        return result;
    if (!is_known && !socket_known(fd, &unknown, false))
        return result;
    context.begin_ns = context.begin_ns != 0 ? context.begin_ns : monotonic_ns();
    note_read(fd, address, *length, &context);
    return result;
}
