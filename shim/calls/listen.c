/* listen: on a socket that was never bound it is a port-0 request of its own (listen(2)). */
#include <errno.h>

#include "shim/gate.h"
#include "shim/policy/policy.h"
#include "shim/process/sandbox.h"
#include "shim/process/stacks.h"
#include "shim/real.h"
#include "shim/socket/holder_query.h"
#include "shim/socket/sockets.h"

struct listen_arguments {
    int fd;
    int backlog;
};

static long listen_really(const void *arguments) {
    const struct listen_arguments *given = arguments;
    return real.listen(given->fd, given->backlog);
}

static int listen_by_policy(const struct listen_arguments *given, struct socket_facts *facts,
                            uint64_t *flags) {
    struct policy_request request = {.kind = POLICY_LISTEN, .fd = given->fd, .facts = facts};
    if (gate() != GATE_OPEN || !policy_applies(&request))
        return (int)listen_really(given);
    int result = (int)policy_answer(&request, listen_really, given);
    *flags |= request.flags;
    if ((request.flags & PW_FLAG_POLICY_BY_NUMBER) != 0)
        facts->flags |= (uint32_t)PW_FLAG_BY_NUMBER;
    return result;
}

/* Without a record the policy works on, as in bind. */
static int listen_unrecorded(const struct listen_arguments *given, struct socket_facts *facts,
                             bool unbound) {
    uint64_t flags = 0;
    if (!policy_on || !unbound)
        return (int)listen_really(given);
    int result = listen_by_policy(given, facts, &flags);
    if (result == 0) {
        facts->port = socket_local(given->fd).port;
        policy_note_bound(facts, facts->port, false);
        socket_keep(given->fd, facts);
    }
    return result;
}

int call_listen(int fd, int backlog, const void *site) {
    struct socket_facts facts;
    struct record record;
    enum gate open = gate();
    if (open == GATE_CLOSED)
        return real.listen(fd, backlog);
    struct call_context context = {
        .number = NUMBER_listen, .site = site, .begin_ns = monotonic_ns()};
    context.flags = open == GATE_VFORK ? PW_FLAG_VFORK_CHILD : 0;
    if (!socket_known(fd, &facts, true))
        return real.listen(fd, backlog);
    bool unbound = socket_is_unbound(fd, &facts);
    const struct listen_arguments given = {fd, backlog};
    if (!socket_record_begin(&record, PW_KIND_LISTEN, 2, fd, &facts, &context))
        return listen_unrecorded(&given, &facts, unbound);
    struct pw_start *start = &record.units[0].start;
    int result = policy_on && unbound ? listen_by_policy(&given, &facts, &start->flags)
                                      : real.listen(fd, backlog);
    int error = errno;
    struct ip_endpoint local = socket_local(fd);
    start->error = (uint16_t)(result < 0 ? error : 0);
    start->flags |= unbound ? PW_FLAG_PORT_ZERO : 0;
    if (result == 0) {
        start->flags |= PW_FLAG_LISTENING;
        facts.flags |= (uint32_t)PW_FLAG_LISTENING;
        if (!sandbox_is_on())
            facts.port = local.port;
        else if (unbound)
            facts.flags |= DESCRIPTOR_NAMELESS;
        socket_keep(fd, &facts);
        if (policy_on && unbound)
            policy_note_bound(&facts, local.port, false);
    }
    if (local.port != 0)
        record_assigned(&record, &local);
    record_commit(&record, 0);
    stacks_tell(record.number);
    if (result < 0 && error == EADDRINUSE && !unbound) {
        socket_table_tell(fd, &facts, &local, record.number);
        socket_table_tell_test();
    }
    return result;
}
