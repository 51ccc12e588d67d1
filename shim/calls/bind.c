/* bind and its old relatives: the request and, where it was for port 0, the port that came of it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "shim/calls/port_request.h"
#include "shim/policy/keep.h"
#include "shim/process/ancestor_strings.h"
#include "shim/process/notified_pass.h"
#include "shim/process/sandbox.h"
#include "shim/process/start_strings.h"
#include "shim/real.h"

/* An AF_INET socket takes AF_UNSPEC with 0.0.0.0 (ip(7)). */
static struct ip_endpoint read_request(const struct port_request *request, long result) {
    const struct port_call *given = request->given;
    struct sockaddr_storage copy;
    if (!socket_given_address(&copy, given->address, given->length, (int)result, request->error))
        return (struct ip_endpoint){.family = 0};
    if (copy.ss_family == AF_UNSPEC && given->length >= sizeof(struct sockaddr_in))
        copy.ss_family = AF_INET;
    return ip_endpoint_of(&copy, given->length);
}

static void note_bound(struct port_request *request, const struct ip_endpoint *requested) {
    struct ip_endpoint assigned =
        requested->port == 0 ? socket_local(request->given->fd) : *requested;
    request->facts.flags &= ~(DESCRIPTOR_READ | DESCRIPTOR_NAMELESS | DESCRIPTOR_SOURCE);
    port_request_got(request, assigned.port, requested->port != 0);
    if (request->is_recorded)
        socket_remember_bind(request->facts.cookie, assigned.port, &request->record);
    record_assigned(&request->record, &assigned);
}

/* In which start-up strings the number stands. */
static uint64_t where_it_stands(uint16_t port) {
    uint64_t own = start_strings_hold(port);
    if ((own & (PW_FLAG_IN_ARGUMENTS | PW_FLAG_IN_ENVIRONMENT)) == 0 || gate() != GATE_OPEN)
        return own;
    return own | PW_FLAG_IN_ANCESTORS(ancestor_strings_hold(port));
}

static int finish_bind(struct port_request *request, long result,
                       const struct ip_endpoint *requested) {
    record_requested(&request->record, requested);
    if (requested->family != 0)
        request->record.units[0].start.flags |=
            requested->port == 0 ? PW_FLAG_PORT_ZERO
                                 : PW_FLAG_BY_NUMBER | where_it_stands(requested->port);
    if (result == 0 && requested->family != 0)
        note_bound(request, requested);
    port_request_finish(request, result);
    if (result < 0 && request->error == EADDRINUSE && requested->port != 0) {
        if (policy_on)
            policy_note_refused(&request->facts, requested->port);
        port_request_refused(request, requested);
    }
    return (int)result;
}

struct bind_arguments {
    int fd;
    const struct sockaddr *address;
    socklen_t length;
    struct port_request *request;
    const struct ip_endpoint *wanted; /* family 0: not known */
};

static long bind_really(const void *arguments) {
    const struct bind_arguments *given = arguments;
    return pass_bind(given->fd, given->address, given->length);
}

/* In a sandbox memory far from ours is read only where the kernel has read it before. */
static bool find_wanted_late(const struct bind_arguments *given, long *result,
                             struct ip_endpoint *wanted) {
    struct sockaddr_storage copy;
    *result = bind_really(given);
    if (*result == 0 || errno != EADDRINUSE ||
        !socket_given_address(&copy, given->address, given->length, -1, errno))
        return false;
    *wanted = ip_endpoint_of(&copy, given->length);
    return wanted->port != 0;
}

static long bind_kept(const void *arguments) {
    const struct bind_arguments *given = arguments;
    struct port_request *request = given->request;
    struct ip_endpoint wanted = *given->wanted;
    bool handed;
    long result;
    if (wanted.family == 0 && !find_wanted_late(given, &result, &wanted))
        return result;
    result = keep_bind_by_number(given->fd, &request->facts, &wanted, bind_really, arguments,
                                 &handed, &request->shared);
    request->handed = handed;
    return result;
}

/* What a policy has to know of the call before it is made. */
static struct ip_endpoint find_wanted(const struct port_request *request) {
    struct sockaddr_storage copy;
    const struct port_call *given = request->given;
    if (!policy_on || !socket_given_address(&copy, given->address, given->length, -1, 0))
        return (struct ip_endpoint){.family = 0};
    return ip_endpoint_of(&copy, given->length);
}

/* A policy may have it wait for somebody who takes the port: what is recorded is the call after
 * that. */
static void wait_before(struct port_request *request, const struct ip_endpoint *wanted,
                        struct policy_wait *wait) {
    wait->waiter = NULL;
    if (policy_on && request->gate == GATE_OPEN && wanted->family != 0 &&
        policy_before_bind(&request->facts, wanted, wait))
        request->begin_ns = monotonic_ns();
}

int call_bind(int fd, const struct sockaddr *address, socklen_t length, const void *site) {
    struct port_request request;
    struct ip_endpoint wanted;
    struct policy_wait wait;
    const struct bind_arguments arguments = {fd, address, length, &request, &wanted};
    struct port_call given = {NUMBER_bind, fd,     site,        POLICY_BIND,
                              address,     length, bind_really, &arguments};
    if (!port_request_enter(&request, &given))
        return real.bind(fd, address, length);
    wanted = find_wanted(&request);
    if (keep_on && (wanted.port != 0 || (wanted.family == 0 && sandbox_is_on())))
        given.call = bind_kept;
    wait_before(&request, &wanted, &wait);
    if (!port_request_begin(&request, PW_KIND_BIND, 2)) {
        int bare = (int)given.call(&arguments);
        policy_wait_end(&wait);
        return bare;
    }
    long result = port_request_perform(&request);
    policy_wait_end(&wait);
    if (request.handed)
        request.record.units[0].start.flags |= PW_FLAG_POLICY_KEPT;
    struct ip_endpoint requested = read_request(&request, result);
    return finish_bind(&request, result, &requested);
}

struct bindresvport_arguments {
    int fd;
    struct sockaddr_in *address;
};

static long bindresvport_really(const void *arguments) {
    const struct bindresvport_arguments *given = arguments;
    return real.bindresvport(given->fd, given->address);
}

/* bindresvport(3) binds inside libc to a port below 1024 that it picks itself: a bind by number as
 * the kernel sees it, and the number is read from the socket. No policy answers: it gets no
 * address. */
int call_bindresvport(int fd, struct sockaddr_in *address, const void *site) {
    const struct bindresvport_arguments arguments = {fd, address};
    const struct port_call given = {NUMBER_bindresvport, fd,        site, POLICY_BIND, NULL, 0,
                                    bindresvport_really, &arguments};
    struct port_request request;
    if (!port_request_enter(&request, &given) || !port_request_begin(&request, PW_KIND_BIND, 2))
        return real.bindresvport(fd, address);
    long result = port_request_perform(&request);
    struct ip_endpoint requested = {.family = 0};
    if (result == 0)
        requested = socket_local(fd);
    return finish_bind(&request, result, &requested);
}

/* rresvport(3) makes the socket too, so there is nothing to be asked before the call. */
static int note_rresvport(int fd, int number, uint64_t begin, const void *site) {
    const struct port_call given = {.number = number, .fd = fd, .site = site, .kind = POLICY_BIND};
    const struct call_context context = {.number = number, .site = site, .begin_ns = begin};
    struct port_request request = {
        .given = &given, .gate = gate(), .begin_ns = begin, .error = errno};
    if (fd < 0 || request.gate != GATE_OPEN || !socket_ask(fd, &request.facts)) {
        errno = request.error;
        return fd;
    }
    socket_adopt(fd, &request.facts, -1, &context);
    if (!port_request_begin(&request, PW_KIND_BIND, 2))
        return fd;
    struct ip_endpoint requested = socket_local(fd);
    finish_bind(&request, 0, &requested);
    return fd;
}

int call_rresvport(int *port, const void *site) {
    uint64_t begin = monotonic_ns();
    int fd = real.rresvport(port);
    return note_rresvport(fd, NUMBER_rresvport, begin, site);
}

int call_rresvport_af(int *port, sa_family_t family, const void *site) {
    uint64_t begin = monotonic_ns();
    int fd = real.rresvport_af(port, family);
    return note_rresvport(fd, NUMBER_rresvport_af, begin, site);
}
