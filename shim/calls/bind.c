/* bind and its old relatives: the request and, where it was for port 0, the port that came of it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "shim/gate.h"
#include "shim/policy/policy.h"
#include "shim/process/sandbox.h"
#include "shim/process/stacks.h"
#include "shim/process/start_strings.h"
#include "shim/real.h"
#include "shim/socket/holder_query.h"
#include "shim/socket/sockets.h"

/* An AF_INET socket takes AF_UNSPEC with 0.0.0.0 (ip(7)). */
static struct ip_endpoint read_request(int result, int error, const struct sockaddr *address,
                                       socklen_t length) {
    struct sockaddr_storage copy;
    if (!socket_given_address(&copy, address, length, result, error))
        return (struct ip_endpoint){.family = 0};
    if (copy.ss_family == AF_UNSPEC && length >= sizeof(struct sockaddr_in))
        copy.ss_family = AF_INET;
    return ip_endpoint_of(&copy, length);
}

static void note_bound(int fd, struct socket_facts *facts, const struct ip_endpoint *requested,
                       struct record *record) {
    struct ip_endpoint assigned = requested->port == 0 ? socket_local(fd) : *requested;
    facts->port = assigned.port;
    facts->flags &= ~(DESCRIPTOR_READ | DESCRIPTOR_NAMELESS | DESCRIPTOR_SOURCE);
    if (assigned.port == 0 && sandbox_is_on())
        facts->flags |= DESCRIPTOR_NAMELESS;
    if (policy_on)
        policy_note_bound(facts, assigned.port, requested->port != 0);
    socket_remember_bind(facts->cookie, assigned.port, record);
    if (requested->port != 0 || (record->units[0].start.flags & PW_FLAG_POLICY_BY_NUMBER) != 0)
        facts->flags |= (uint32_t)PW_FLAG_BY_NUMBER;
    socket_keep(fd, facts);
    record_assigned(record, &assigned);
}

static void finish_bind(int fd, struct socket_facts *facts, int result, int error,
                        const struct ip_endpoint *requested, struct record *record) {
    record->units[0].start.error = (uint16_t)(result < 0 ? error : 0);
    record_requested(record, requested);
    if (requested->family != 0)
        record->units[0].start.flags |=
            requested->port == 0 ? PW_FLAG_PORT_ZERO
                                 : PW_FLAG_BY_NUMBER | start_strings_hold(requested->port);
    if (result == 0 && requested->family != 0)
        note_bound(fd, facts, requested, record);
    record_commit(record, 0);
    stacks_tell(record->number);
    if (result < 0 && error == EADDRINUSE && requested->port != 0) {
        if (policy_on)
            policy_note_refused(facts, requested->port);
        socket_table_tell(fd, facts, requested, record->number);
        socket_table_tell_test();
    }
}

static bool begin_bind(int number, int fd, struct socket_facts *facts, struct record *record,
                       const void *site) {
    enum gate open = gate();
    if (open == GATE_CLOSED)
        return false;
    struct call_context context = {.number = number, .site = site, .begin_ns = monotonic_ns()};
    if (!socket_known(fd, facts, true))
        return false;
    context.flags = open == GATE_VFORK ? PW_FLAG_VFORK_CHILD : 0;
    return socket_record_begin(record, PW_KIND_BIND, 2, fd, facts, &context);
}

struct bind_arguments {
    int fd;
    const struct sockaddr *address;
    socklen_t length;
};

static long bind_really(const void *arguments) {
    const struct bind_arguments *given = arguments;
    return real.bind(given->fd, given->address, given->length);
}

/* *flags gets those that the policy has for the record. */
static int bind_by_policy(const struct bind_arguments *given, const struct socket_facts *facts,
                          uint64_t *flags) {
    struct policy_request request = {.kind = POLICY_BIND,
                                     .fd = given->fd,
                                     .facts = facts,
                                     .address = given->address,
                                     .length = given->length};
    if (!policy_on || gate() != GATE_OPEN || !policy_applies(&request))
        return (int)bind_really(given);
    int result = (int)policy_answer(&request, bind_really, given);
    *flags |= request.flags;
    return result;
}

/* Without a record the policy works on: the trace may be full, and the run is not over. */
static int bind_unrecorded(const struct bind_arguments *given) {
    struct socket_facts facts;
    uint64_t flags = 0;
    if (!policy_on || gate() != GATE_OPEN || !socket_known(given->fd, &facts, true))
        return (int)bind_really(given);
    int result = bind_by_policy(given, &facts, &flags);
    if (result == 0) {
        facts.port = socket_local(given->fd).port;
        facts.flags |= flags & PW_FLAG_POLICY_BY_NUMBER ? (uint32_t)PW_FLAG_BY_NUMBER : 0;
        policy_note_bound(&facts, facts.port, false);
        socket_keep(given->fd, &facts);
    }
    return result;
}

int call_bind(int fd, const struct sockaddr *address, socklen_t length, const void *site) {
    const struct bind_arguments given = {fd, address, length};
    struct socket_facts facts;
    struct record record;
    if (!begin_bind(NUMBER_bind, fd, &facts, &record, site))
        return bind_unrecorded(&given);
    int result = bind_by_policy(&given, &facts, &record.units[0].start.flags);
    int error = errno;
    struct ip_endpoint requested = read_request(result, error, address, length);
    finish_bind(fd, &facts, result, error, &requested, &record);
    return result;
}

/* bindresvport(3) binds inside libc to a port below 1024 that it picks itself: a bind by number as
 * the kernel sees it, and the number is told by the socket. */
int call_bindresvport(int fd, struct sockaddr_in *address, const void *site) {
    struct socket_facts facts;
    struct record record;
    if (!begin_bind(NUMBER_bindresvport, fd, &facts, &record, site))
        return real.bindresvport(fd, address);
    int result = real.bindresvport(fd, address);
    int error = errno;
    struct ip_endpoint requested = {.family = 0};
    if (result == 0)
        requested = socket_local(fd);
    finish_bind(fd, &facts, result, error, &requested, &record);
    return result;
}

/* rresvport(3) makes the socket too. */
static int note_rresvport(int fd, int error, int number, uint64_t begin, const void *site) {
    struct socket_facts facts;
    struct record record;
    struct call_context context = {.number = number, .site = site, .begin_ns = begin};
    if (fd < 0 || gate() != GATE_OPEN || !socket_ask(fd, &facts)) {
        errno = error;
        return fd;
    }
    socket_adopt(fd, &facts, -1, &context);
    if (!socket_record_begin(&record, PW_KIND_BIND, 2, fd, &facts, &context))
        return fd;
    struct ip_endpoint requested = socket_local(fd);
    finish_bind(fd, &facts, 0, 0, &requested, &record);
    return fd;
}

int call_rresvport(int *port, const void *site) {
    uint64_t begin = monotonic_ns();
    int fd = real.rresvport(port);
    return note_rresvport(fd, errno, NUMBER_rresvport, begin, site);
}

int call_rresvport_af(int *port, sa_family_t family, const void *site) {
    uint64_t begin = monotonic_ns();
    int fd = real.rresvport_af(port, family);
    return note_rresvport(fd, errno, NUMBER_rresvport_af, begin, site);
}
