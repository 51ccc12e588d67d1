/*
 * These steps stood in four calls, each with and without a record, and had drifted apart: a socket
 * that a policy had bound by number was not remembered as such, and a thread that was cancelled
 * without a record left the socket's port range narrowed.
 */
#include "shim/calls/port_request.h"

#include <errno.h>
#include <string.h>

#include "shim/frames/frames.h"
#include "shim/policy/keep.h"
#include "shim/process/number_source.h"
#include "shim/process/running_test.h"
#include "shim/process/sandbox.h"
#include "shim/process/stacks.h"
#include "shim/shared/keep_socket.h"
#include "shim/socket/cancellable.h"
#include "shim/socket/holder_query.h"

bool port_request_enter(struct port_request *request, const struct port_call *given) {
    request->given = given;
    request->gate = gate();
    request->unbound = false;
    request->got = false;
    request->shared = false;
    request->handed = false;
    if (request->gate == GATE_CLOSED)
        return false;
    request->begin_ns = monotonic_ns();
    return socket_known(request->given->fd, &request->facts, true);
}

static void drop_record(struct port_request *request) {
    memset(request->dropped, 0, sizeof request->dropped);
    request->record = (struct record){.units = request->dropped, .count = PORT_REQUEST_UNITS};
}

static bool policy_is_asked(struct port_request *request) {
    if (!policy_on || request->gate != GATE_OPEN)
        return false;
    request->policy = (struct policy_request){.kind = request->given->kind,
                                              .fd = request->given->fd,
                                              .address = request->given->address,
                                              .length = request->given->length};
    return (request->unbound || request->given->kind == POLICY_BIND) &&
           policy_applies(&request->policy, &request->facts);
}

static const struct frames *find_frames(const struct port_request *request) {
    const struct port_call *given = request->given;
    return given->kind == POLICY_LISTEN && !request->unbound
               ? frames_of_listen(given->fd, given->number, given->site)
               : frames_of_call(given->fd, given->number, given->site);
}

bool port_request_begin(struct port_request *request, enum pw_kind kind, unsigned units) {
    const struct call_context context = {.number = request->given->number,
                                         .site = request->given->site,
                                         .begin_ns = request->begin_ns,
                                         .flags =
                                             request->gate == GATE_VFORK ? PW_FLAG_VFORK_CHILD : 0};
    const struct frames *frames = find_frames(request);
    request->by_policy = policy_is_asked(request);
    request->is_recorded = socket_record_begin(&request->record, kind, units + frames_units(frames),
                                               request->given->fd, &request->facts, &context);
    if (request->is_recorded)
        frames_write(&request->record, units, frames);
    else
        drop_record(request);
    /* Under a policy what becomes of the socket's port has to be known, recorded or not. */
    return request->is_recorded || (policy_on && request->gate == GATE_OPEN);
}

static long by_policy(const void *arguments) {
    struct port_request *request = (struct port_request *)(uintptr_t)arguments;
    return policy_answer(&request->policy, request->given->call, request->given->arguments);
}

/* A socket whose listening or connecting has ended still shows the port that it has lost, unless
 * that was bound by number. */
static bool is_for_any_port(const struct port_request *request, int error) {
    const struct port_call *given = request->given;
    struct sockaddr_storage copy;
    if (given->kind != POLICY_BIND)
        return request->unbound || (request->facts.flags & PW_FLAG_BY_NUMBER) == 0;
    return socket_given_address(&copy, given->address, given->length, -1, error) &&
           ip_endpoint_of(&copy, given->length).port == 0;
}

/* Ports that are kept may be given up for a request that found the range used up. */
static bool is_worth_another_try(const struct port_request *request, unsigned tried) {
    const struct port_call *given = request->given;
    return keep_on && tried < KEEP_TRIES_FOR_ROOM && request->gate == GATE_OPEN &&
           is_for_any_port(request, errno) &&
           keep_gave_room(given->kind, given->fd, &request->facts, errno);
}

static long perform(struct port_request *request) {
    const struct open_call open = {.record = request->is_recorded ? &request->record : NULL,
                                   .fd = request->given->fd,
                                   .unbound = request->unbound,
                                   .by_policy = request->by_policy,
                                   .shared = &request->shared};
    return cancellable(&open, request->by_policy ? by_policy : request->given->call,
                       request->by_policy ? request : request->given->arguments);
}

long port_request_perform(struct port_request *request) {
    unsigned tried = 0;
    long result = perform(request);
    while (result < 0 && is_worth_another_try(request, tried++))
        result = perform(request);
    struct pw_start *start = &request->record.units[0].start;
    request->error = errno;
    start->error = (uint16_t)(result < 0 ? request->error : 0);
    if (request->by_policy)
        start->flags |= request->policy.flags;
    return result;
}

void port_request_got(struct port_request *request, uint16_t port, bool by_number) {
    struct socket_facts *facts = &request->facts;
    bool is_locked = (request->record.units[0].start.flags & PW_FLAG_POLICY_BY_NUMBER) != 0;
    facts->port = port;
    facts->flags &= ~(DESCRIPTOR_KEPT | DESCRIPTOR_WAS_KEPT | DESCRIPTOR_SHARED | DESCRIPTOR_NAMED);
    if ((facts->flags & PW_FLAG_REUSEADDR) != 0)
        facts->flags |= DESCRIPTOR_SHARED;
    request->got = port != 0;
    if (by_number || is_locked)
        facts->flags |= (uint32_t)PW_FLAG_BY_NUMBER;
    if (by_number)
        facts->flags |= DESCRIPTOR_NAMED;
    if (port == 0 && sandbox_is_on())
        facts->flags |= DESCRIPTOR_NAMELESS;
    if (policy_on && port != 0)
        policy_note_bound(facts, port, by_number);
}

long port_request_finish(struct port_request *request, long result) {
    socket_keep(request->given->fd, &request->facts);
    if (request->is_recorded) {
        record_commit(&request->record, 0);
        stacks_record(request->record.number);
        if (request->got)
            running_test_record(request->record.number, true);
    }
    errno = request->error;
    return result;
}

void port_request_refused(const struct port_request *request, const struct ip_endpoint *wanted) {
    if (!request->is_recorded)
        return;
    holder_query_record(request->given->fd, &request->facts, wanted, request->record.number);
    running_test_record(request->record.number, false);
    number_source_record(wanted->port, request->record.number);
}
