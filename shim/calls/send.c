/* Sends: the first one on an unbound UDP socket is a port-0 request (udp(7)); one with SCM_RIGHTS
 * puts descriptors in flight, where a socket lives though nobody has it open. */
#include <errno.h>
#include <string.h>

#include "shim/calls/port_request.h"
#include "shim/process/sandbox.h"
#include "shim/real.h"
#include "shim/socket/rights.h"
#include "shim/socket/sockets.h"

struct send_arguments {
    int number;
    int fd;
    int flags;
    const void *data;
    size_t size;
    const struct sockaddr *address;
    socklen_t length;
    const struct msghdr *message;
    struct mmsghdr *messages;
    unsigned count;
};

static long send_really(const void *arguments) {
    const struct send_arguments *given = arguments;
    if (given->number == NUMBER_sendto)
        return real.sendto(given->fd, given->data, given->size, given->flags, given->address,
                           given->length);
    if (given->number == NUMBER_sendmsg)
        return real.sendmsg(given->fd, given->message, given->flags);
    return real.sendmmsg(given->fd, given->messages, given->count, given->flags);
}

static struct ip_endpoint destination(const struct send_arguments *given) {
    if (given->number == NUMBER_sendto)
        return ip_endpoint_of(given->address, given->length);
    struct msghdr message; /* an mmsghdr begins with one, and neither need be aligned */
    memcpy(&message,
           given->number == NUMBER_sendmsg ? given->message : (const void *)given->messages,
           sizeof message);
    return ip_endpoint_of(message.msg_name, message.msg_namelen);
}

static long finish_send(struct port_request *request, const struct send_arguments *given,
                        long result) {
    struct pw_start *start = &request->record.units[0].start;
    struct ip_endpoint peer = {.family = 0};
    struct ip_endpoint local = socket_local(given->fd);
    bool is_sandboxed = result >= 0 && sandbox_is_on();
    /* Of no message, nothing was read. */
    if (result > 0 || (result == 0 && given->number != NUMBER_sendmmsg))
        peer = destination(given);
    if (local.port != 0 || request->error == EAGAIN || is_sandboxed)
        start->flags |= PW_FLAG_PORT_ZERO;
    if (local.port != 0)
        record_assigned(&request->record, &local);
    record_peer(&request->record, &peer);
    if (local.port != 0 || is_sandboxed)
        port_request_got(request, local.port, false);
    request->facts.flags |= DESCRIPTOR_SOURCE;
    return port_request_finish(request, result);
}

/* Where a sendto goes to is known beforehand; a message's name is behind another pointer, and is
 * left alone. */
static long send_and_note(const struct send_arguments *arguments, const void *site) {
    struct port_request request;
    if (!descriptor_may_bind_by_send(arguments->fd, arguments->flags) || gate() != GATE_OPEN)
        return send_really(arguments);
    struct port_call given = {arguments->number,  arguments->fd,     site,        POLICY_SEND,
                              arguments->address, arguments->length, send_really, arguments};
    if (!port_request_enter(&request, &given))
        return send_really(arguments);
    request.facts.port = socket_local(arguments->fd).port;
    if (request.facts.port != 0) { /* bound through another descriptor meanwhile */
        socket_keep(arguments->fd, &request.facts);
        return send_really(arguments);
    }
    request.unbound = true;
    enum pw_kind kind = PW_KIND_AUTOBIND;
    if (request.facts.type != SOCK_DGRAM) {
        kind = PW_KIND_CONNECT;
        given.kind = POLICY_CONNECT;
    }
    if (!port_request_begin(&request, kind, 3))
        return send_really(arguments);
    return finish_send(&request, arguments, port_request_perform(&request));
}

ssize_t call_sendto(int fd, const void *data, size_t size, int flags,
                    const struct sockaddr *address, socklen_t length, const void *site) {
    struct send_arguments given = {.number = NUMBER_sendto,
                                   .fd = fd,
                                   .flags = flags,
                                   .data = data,
                                   .size = size,
                                   .address = address,
                                   .length = length};
    return send_and_note(&given, site);
}

static void note_passed(int fd, const struct call_context *context) {
    struct socket_facts facts;
    struct record record;
    socket_record(fd);
    if (descriptor_copy(fd, &facts) &&
        socket_record_begin(&record, PW_KIND_PASSED, 1, fd, &facts, context))
        record_commit(&record, 0);
}

/* Of a message that the kernel has accepted; it need not be aligned. */
static void note_rights(const void *message, const struct call_context *context) {
    struct msghdr copy;
    memcpy(&copy, message, sizeof copy);
    rights_each(&copy, note_passed, context);
}

ssize_t call_sendmsg(int fd, const struct msghdr *message, int flags, const void *site) {
    struct send_arguments given = {
        .number = NUMBER_sendmsg, .fd = fd, .flags = flags, .message = message};
    if (gate() != GATE_OPEN)
        return real.sendmsg(fd, message, flags);
    struct call_context context = {.number = NUMBER_sendmsg, .site = site};
    if (descriptor_find(fd) == NULL) /* descriptors travel over Unix sockets alone */
        context.begin_ns = monotonic_ns();
    ssize_t result = send_and_note(&given, site);
    if (context.begin_ns != 0 && result >= 0)
        note_rights(message, &context);
    return result;
}

int call_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, const void *site) {
    struct send_arguments given = {
        .number = NUMBER_sendmmsg, .fd = fd, .flags = flags, .messages = messages, .count = count};
    if (gate() != GATE_OPEN)
        return real.sendmmsg(fd, messages, count, flags);
    struct call_context context = {
        .number = NUMBER_sendmmsg, .site = site, .begin_ns = monotonic_ns()};
    int result = (int)send_and_note(&given, site);
    const char *first = (const char *)messages;
    for (int i = 0; i < result && descriptor_find(fd) == NULL; i++)
        note_rights(first + (size_t)i * sizeof *messages, &context);
    return result;
}
