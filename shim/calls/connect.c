/* connect: gives an unbound socket a port, and may take it away again (refused, AF_UNSPEC). */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/un.h>

#include "shim/gate.h"
#include "shim/identity.h"
#include "shim/policy/policy.h"
#include "shim/process/sandbox.h"
#include "shim/process/stacks.h"
#include "shim/real.h"
#include "shim/socket/cancellable.h"
#include "shim/socket/sockets.h"

struct connect_arguments {
    int fd;
    const struct sockaddr *address;
    socklen_t length;
};

static long connect_really(const void *arguments) {
    const struct connect_arguments *given = arguments;
    return real.connect(given->fd, given->address, given->length);
}

struct policy_connect {
    struct policy_request *request;
    const struct connect_arguments *given;
};

static long connect_by_policy(const void *arguments) {
    const struct policy_connect *connect = arguments;
    return policy_answer(connect->request, connect_really, connect->given);
}

static bool goes_on(int error) {
    return error == EINPROGRESS || error == EALREADY || error == EINTR || error == EISCONN ||
           error == EAGAIN;
}

/* A container daemon publishes ports outside our tree: that this program talked to one is all that
 * can be seen of it. */
static void note_daemon(const char *path, const void *site) {
    static const char *const names[] = {"docker.sock", "podman.sock", "containerd.sock",
                                        "crio.sock"};
    static _Atomic bool told;
    bool is_daemon = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        is_daemon = is_daemon || strstr(path, names[i]) != NULL;
    if (!is_daemon || atomic_exchange(&told, true))
        return;
    struct record record;
    size_t length = strlen(path);
    unsigned units = 2 + record_text_units(length, 4);
    if (!record_begin(&record, PW_KIND_BLIND_SPOT, units, identity_serial(), -1, monotonic_ns()))
        return;
    struct pw_start *start = &record.units[0].start;
    start->thread = identity_thread();
    start->source = PW_SOURCE_SHIM;
    start->call = NUMBER_connect;
    start->site = (uint64_t)(uintptr_t)site;
    record.units[1].numbers.code = PW_BLIND_CONTAINER;
    record_text(&record, 2, path, length);
    record_commit(&record, 0);
}

static int connect_elsewhere(const struct connect_arguments *given, const void *site) {
    int result = real.connect(given->fd, given->address, given->length);
    struct sockaddr_un unix_address = {.sun_family = AF_UNSPEC};
    if (result != 0 || given->length >= sizeof unix_address || gate() != GATE_OPEN)
        return result;
    if (given->address != NULL)
        memcpy(&unix_address, given->address, given->length);
    if (unix_address.sun_family == AF_UNIX)
        note_daemon(unix_address.sun_path, site);
    return result;
}

static void finish_connect(int fd, struct socket_facts *facts, int result, int error, bool unbound,
                           const struct sockaddr *address, socklen_t length,
                           struct record *record) {
    struct pw_start *start = &record->units[0].start;
    struct ip_endpoint peer = {.family = 0};
    bool failed = result < 0 && !goes_on(error);
    struct sockaddr_storage copy;
    if (socket_given_address(&copy, address, length, result, error)) {
        if (copy.ss_family == AF_UNSPEC)
            record_change_kind(record, PW_KIND_DISCONNECT);
        peer = ip_endpoint_of(&copy, length);
    }
    struct ip_endpoint local = socket_local(fd);
    socket_forget_bind();
    start->error = (uint16_t)(result < 0 ? error : 0);
    start->flags |= unbound && address != NULL && peer.family != 0 ? PW_FLAG_PORT_ZERO : 0;
    start->flags |= result < 0 && error == EINPROGRESS ? PW_FLAG_IN_PROGRESS : 0;
    if (local.port != 0)
        record_assigned(record, &local);
    record_peer(record, &peer);
    if ((start->flags & PW_FLAG_POLICY_BY_NUMBER) != 0)
        facts->flags |= (uint32_t)PW_FLAG_BY_NUMBER;
    /* A hard failure takes an assigned port away, though getsockname may still show it. */
    uint16_t before = facts->port;
    if ((facts->flags & PW_FLAG_BY_NUMBER) == 0 && !sandbox_is_on())
        facts->port = failed ? 0 : local.port;
    if (unbound)
        facts->flags |= DESCRIPTOR_SOURCE;
    if (unbound && !failed && sandbox_is_on())
        facts->flags |= DESCRIPTOR_NAMELESS;
    if (policy_on && facts->port != 0 && facts->port != before)
        policy_note_bound(facts, facts->port, false);
    socket_keep(fd, facts);
    record_commit(record, 0);
    if (policy_on && facts->port == 0)
        policy_note_released(facts, before != 0 ? before : local.port);
    stacks_tell(record->number);
}

/* Without a record the policy works on, as in bind. */
static int connect_unrecorded(const struct connect_arguments *given, struct socket_facts *facts,
                              bool may_answer) {
    struct policy_request request = {.kind = POLICY_CONNECT,
                                     .fd = given->fd,
                                     .facts = facts,
                                     .address = given->address,
                                     .length = given->length};
    if (!may_answer || !policy_applies(&request))
        return (int)connect_really(given);
    int result = (int)policy_answer(&request, connect_really, given);
    if (result == 0 || errno == EINPROGRESS) {
        facts->port = socket_local(given->fd).port;
        policy_note_bound(facts, facts->port, false);
        socket_keep(given->fd, facts);
    }
    return result;
}

int call_connect(int fd, const struct sockaddr *address, socklen_t length, const void *site) {
    struct connect_arguments given = {fd, address, length};
    struct socket_facts facts;
    struct record record;
    enum gate open = gate();
    if (open == GATE_CLOSED)
        return real.connect(fd, address, length);
    struct call_context context = {
        .number = NUMBER_connect, .site = site, .begin_ns = monotonic_ns()};
    context.flags = open == GATE_VFORK ? PW_FLAG_VFORK_CHILD : 0;
    if (descriptor_find(fd) == NULL && !socket_known(fd, &facts, false))
        return connect_elsewhere(&given, site);
    if (!socket_known(fd, &facts, true))
        return real.connect(fd, address, length);
    bool unbound = socket_is_unbound(fd, &facts);
    if (!socket_record_begin(&record, PW_KIND_CONNECT, 3, fd, &facts, &context))
        return connect_unrecorded(&given, &facts, policy_on && unbound && open == GATE_OPEN);
    struct policy_request request = {
        .kind = POLICY_CONNECT, .fd = fd, .facts = &facts, .address = address, .length = length};
    const struct policy_connect by_policy = {&request, &given};
    bool answers = policy_on && unbound && open == GATE_OPEN && policy_applies(&request);
    int result = (int)cancellable(&(struct open_call){&record, fd, unbound, answers},
                                  answers ? connect_by_policy : connect_really,
                                  answers ? (const void *)&by_policy : &given);
    record.units[0].start.flags |= request.flags;
    int error = errno;
    finish_connect(fd, &facts, result, error, unbound, address, length, &record);
    errno = error;
    return result;
}
