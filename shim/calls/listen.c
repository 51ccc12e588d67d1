/* listen: on a socket that was never bound it is a port-0 request of its own (listen(2)). */
#include <errno.h>

#include "shim/calls/port_request.h"
#include "shim/policy/keep.h"
#include "shim/process/notified_pass.h"
#include "shim/process/sandbox.h"
#include "shim/real.h"

struct listen_arguments {
    int fd;
    int backlog;
    struct port_request *request;
};

static long listen_really(const void *arguments) {
    const struct listen_arguments *given = arguments;
    return pass_listen(given->fd, given->backlog);
}

static long listen_kept(const void *arguments) {
    const struct listen_arguments *given = arguments;
    struct port_request *request = given->request;
    return keep_around_listen(given->fd, &request->facts, request->unbound, listen_really,
                              arguments, &request->shared);
}

static bool is_kept(const struct port_request *request) {
    return keep_on && request->gate == GATE_OPEN;
}

static void note_port(struct port_request *request, long result, uint16_t port) {
    if (request->unbound && (result == 0 || port != 0))
        port_request_got(request, port, false);
    else if (result == 0 && !sandbox_is_on())
        request->facts.port = port;
}

int call_listen(int fd, int backlog, const void *site) {
    struct port_request request;
    const struct listen_arguments arguments = {fd, backlog, &request};
    struct port_call given = {NUMBER_listen, fd, site,          POLICY_LISTEN,
                              NULL,          0,  listen_really, &arguments};
    if (!port_request_enter(&request, &given))
        return real.listen(fd, backlog);
    if (is_kept(&request))
        given.call = listen_kept;
    request.unbound = socket_is_unbound(fd, &request.facts);
    if (!port_request_begin(&request, PW_KIND_LISTEN, 2))
        return real.listen(fd, backlog);
    int result = (int)port_request_perform(&request);
    struct pw_start *start = &request.record.units[0].start;
    struct ip_endpoint local = socket_local(fd);
    start->flags |= request.unbound ? PW_FLAG_PORT_ZERO : 0;
    if (result == 0) {
        start->flags |= PW_FLAG_LISTENING;
        request.facts.flags |= (uint32_t)PW_FLAG_LISTENING;
    }
    note_port(&request, result, local.port);
    if (local.port != 0)
        record_assigned(&request.record, &local);
    port_request_finish(&request, result);
    if (result < 0 && request.error == EADDRINUSE && !request.unbound)
        port_request_refused(&request, &local);
    return result;
}
