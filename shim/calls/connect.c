/* connect: gives an unbound socket a port, and may take it away again (refused, AF_UNSPEC). */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/un.h>

#include "shim/calls/port_request.h"
#include "shim/identity.h"
#include "shim/process/notified_pass.h"
#include "shim/process/sandbox.h"
#include "shim/real.h"

struct connect_arguments {
    int fd;
    const struct sockaddr *address;
    socklen_t length;
};

static long connect_really(const void *arguments) {
    const struct connect_arguments *given = arguments;
    return pass_connect(given->fd, given->address, given->length);
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
    static _Atomic bool recorded;
    bool is_daemon = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        is_daemon = is_daemon || strstr(path, names[i]) != NULL;
    if (!is_daemon || atomic_exchange(&recorded, true))
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

/* Where a hard failure leaves a socket without its port, getsockname may still show one. Bound by
 * number it keeps it (SOCK_BINDPORT_LOCK). */
static void note_port(struct port_request *request, uint16_t local, bool failed) {
    bool is_locked = ((request->facts.flags | request->record.units[0].start.flags) &
                      (PW_FLAG_BY_NUMBER | PW_FLAG_POLICY_BY_NUMBER)) != 0;
    uint16_t before = request->facts.port;
    uint16_t port = failed && !is_locked ? 0 : local;
    if (sandbox_is_on()) {
        if (request->unbound && !failed)
            port_request_got(request, 0, false);
        return;
    }
    if (is_locked && before != 0)
        return;
    if (port != 0 && port != before)
        port_request_got(request, port, false);
    else
        request->facts.port = port;
}

static int finish_connect(struct port_request *request, long result) {
    const struct port_call *given = request->given;
    struct pw_start *start = &request->record.units[0].start;
    struct ip_endpoint peer = {.family = 0};
    bool failed = result < 0 && !goes_on(request->error);
    struct sockaddr_storage copy;
    if (socket_given_address(&copy, given->address, given->length, (int)result, request->error)) {
        if (copy.ss_family == AF_UNSPEC)
            record_change_kind(&request->record, PW_KIND_DISCONNECT);
        peer = ip_endpoint_of(&copy, given->length);
    }
    struct ip_endpoint local = socket_local(given->fd);
    socket_forget_bind();
    start->flags |= request->unbound && peer.family != 0 ? PW_FLAG_PORT_ZERO : 0;
    start->flags |= result < 0 && request->error == EINPROGRESS ? PW_FLAG_IN_PROGRESS : 0;
    if (local.port != 0)
        record_assigned(&request->record, &local);
    record_peer(&request->record, &peer);
    uint16_t before = request->facts.port;
    note_port(request, local.port, failed);
    if (request->unbound)
        request->facts.flags |= DESCRIPTOR_SOURCE;
    port_request_finish(request, result);
    if (policy_on && request->facts.port == 0)
        policy_note_released(&request->facts, before != 0 ? before : local.port);
    errno = request->error;
    return (int)result;
}

int call_connect(int fd, const struct sockaddr *address, socklen_t length, const void *site) {
    const struct connect_arguments arguments = {fd, address, length};
    const struct port_call given = {NUMBER_connect, fd,     site,           POLICY_CONNECT,
                                    address,        length, connect_really, &arguments};
    struct port_request request;
    if (gate() == GATE_CLOSED)
        return real.connect(fd, address, length);
    if (descriptor_find(fd) == NULL && !socket_known(fd, &request.facts, false))
        return connect_elsewhere(&arguments, site);
    if (!port_request_enter(&request, &given))
        return real.connect(fd, address, length);
    request.unbound = socket_is_unbound(fd, &request.facts);
    if (!port_request_begin(&request, PW_KIND_CONNECT, 3))
        return real.connect(fd, address, length);
    return finish_connect(&request, port_request_perform(&request));
}
