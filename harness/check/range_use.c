/* A client that closes its connections itself leaves each of their ports in TIME_WAIT for a minute,
 * though it has no socket open. The ports are kept apart by that: to widen the range is one cure,
 * to keep connections open another. */
#include "harness/check/range_use.h"

#include "shim/shared/trace_format.h"

/* TCP_TIMEWAIT_LEN (include/net/tcp.h). */
#define TIME_WAIT_NS UINT64_C(60000000000)

static unsigned place_of(uint64_t cookie) {
    return (unsigned)(cookie * UINT64_C(0x9e3779b97f4a7c15) >> 48);
}

void range_use_take(struct range_use *use, const struct trace_record *record) {
    unsigned place = place_of(record->cookie);
    unsigned port = record->socket->assigned_port;
    if (record->cookie == 0 || port == 0 || use->sockets[place].cookie == record->cookie)
        return;
    use->counted_until_ns = 0;
    use->sockets[place].cookie = record->cookie;
    use->sockets[place].port = (uint16_t)port;
    use->ports[port].holders++;
    use->ports[port].process = record->process;
    use->ports[port].connection = record->kind == PW_KIND_CONNECT;
    use->ports[port].closed_ns = 0;
}

void range_use_release(struct range_use *use, const struct trace_record *record) {
    unsigned place = place_of(record->cookie);
    if (record->cookie == 0 || use->sockets[place].cookie != record->cookie)
        return;
    unsigned port = use->sockets[place].port;
    bool is_gone = record->kind == PW_KIND_DESTROYED && (record->flags & PW_FLAG_TIME_WAIT) == 0;
    use->counted_until_ns = 0;
    use->sockets[place].cookie = 0;
    if (use->ports[port].holders > 0)
        use->ports[port].holders--;
    /* Where the other end closed first, the kernel's notice comes without TIME_WAIT. */
    use->ports[port].closed_ns = use->ports[port].connection && !is_gone ? record->begin_ns : 0;
}

/* The process that used most of the ports, by a vote that the majority wins. */
static uint64_t find_user(const struct range_use *use, const struct finding *finding, uint64_t ns,
                          uint32_t *ports) {
    uint64_t user = 0;
    uint32_t votes = 0;
    for (uint32_t port = finding->range_low; port <= finding->range_high; port++) {
        uint64_t closed_ns = use->ports[port].closed_ns;
        bool used =
            use->ports[port].holders != 0 || (closed_ns != 0 && ns < closed_ns + TIME_WAIT_NS);
        if (!used)
            continue;
        if (votes == 0)
            user = use->ports[port].process;
        votes = user == use->ports[port].process ? votes + 1 : votes - 1;
    }
    *ports = 0;
    for (uint32_t port = finding->range_low; port <= finding->range_high; port++)
        *ports += use->ports[port].process == user;
    return user;
}

static void copy_count(struct finding *to, const struct finding *from) {
    to->held = from->held;
    to->connections = from->connections;
    to->time_wait = from->time_wait;
    to->range_user = from->range_user;
    to->range_user_ports = from->range_user_ports;
}

/* Where all are refused, one after the other, nothing has changed since the last. */
static bool is_counted(const struct range_use *use, uint64_t ns, const struct finding *finding) {
    return ns < use->counted_until_ns && ns >= use->counted.ns &&
           use->counted.range_low == finding->range_low &&
           use->counted.range_high == finding->range_high;
}

void range_use_count(struct range_use *use, uint64_t ns, struct finding *finding) {
    uint64_t until_ns = UINT64_MAX;
    if (finding->range_low == 0 || finding->range_high >= RANGE_USE_PORTS)
        return;
    if (is_counted(use, ns, finding)) {
        copy_count(finding, &use->counted);
        return;
    }
    for (uint32_t port = finding->range_low; port <= finding->range_high; port++) {
        uint64_t closed_ns = use->ports[port].closed_ns;
        if (use->ports[port].holders != 0) {
            finding->held++;
            finding->connections += use->ports[port].connection;
        } else if (closed_ns != 0 && ns < closed_ns + TIME_WAIT_NS) {
            finding->time_wait++;
            until_ns = closed_ns + TIME_WAIT_NS < until_ns ? closed_ns + TIME_WAIT_NS : until_ns;
        }
    }
    finding->range_user = find_user(use, finding, ns, &finding->range_user_ports);
    use->counted = *finding;
    use->counted.ns = ns;
    use->counted_until_ns = until_ns;
}
