/* Nearly all ports of a trace are assigned, used and released, and nobody ever names their number.
 * Only what was bound by number can have been a claim, so the life of all other sockets need not be
 * kept in memory. */
#include "harness/check/selection.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/base/memory.h"
#include "harness/check/ancestry.h"

const int selection_distances[SELECTION_DISTANCES] = {1, 2, 3, 4, 5, 6, 7, 8, -1, 1000, 10000};

struct selection *selection_make(void) {
    return memory_zeroed(1, sizeof(struct selection));
}

static void want(struct selection *selection, unsigned port, uint64_t to_ns) {
    if (port == 0)
        return;
    if (to_ns > selection->wanted_to_ns[port])
        selection->wanted_to_ns[port] = to_ns;
    selection->any = true;
}

static unsigned mark_of(uint64_t cookie) {
    return (unsigned)(cookie * UINT64_C(0x9e3779b97f4a7c15) >> 41);
}

static void follow(struct selection *selection, uint64_t cookie) {
    if (cookie == 0)
        return;
    selection->marks[mark_of(cookie) / 64] |= UINT64_C(1) << mark_of(cookie) % 64;
    map_put(&selection->cookies, cookie, 1);
}

static bool is_followed(const struct selection *selection, uint64_t cookie) {
    return cookie != 0 &&
           (selection->marks[mark_of(cookie) / 64] >> mark_of(cookie) % 64 & 1) != 0 &&
           map_get(&selection->cookies, cookie) != MAP_NONE;
}

static bool is_stream(const struct trace_record *record) {
    return record->socket->type == SOCK_STREAM;
}

static void note_assigner(struct selection *selection, unsigned port, uint64_t process) {
    uint64_t *assigners = selection->assigners[port];
    if (port == 0 || assigners[0] == process)
        return;
    memmove(assigners + 1, assigners, (SELECTION_ASSIGNERS - 1) * sizeof *assigners);
    assigners[0] = process;
}

/* Who was refused a number may have counted it up from one that port 0 gave. */
static void want_neighbours(struct selection *selection, unsigned port, uint64_t to_ns) {
    for (unsigned i = 0; i < SELECTION_DISTANCES; i++) {
        int other = (int)port - selection_distances[i];
        if (other > 0 && other < SELECTION_PORTS)
            want(selection, (unsigned)other, to_ns);
    }
}

static void note_refused(struct selection *selection, unsigned port,
                         const struct trace_record *record) {
    selection->refused[port] = record->process;
    want_neighbours(selection, port, record->end_ns);
}

/* Port 0 gives a number that another UDP socket has where both set a reuse option. */
static void note_reusable_udp(struct selection *selection, const struct trace_record *record) {
    unsigned port = record->socket->assigned_port;
    if (record->socket->type != SOCK_DGRAM ||
        (record->flags & (PW_FLAG_REUSEADDR | PW_FLAG_REUSEPORT)) == 0)
        return;
    if (selection->last_udp[port] != 0 && selection->last_udp[port] != record->cookie)
        want(selection, port, UINT64_MAX);
    selection->last_udp[port] = record->cookie;
}

static void note_sharer(struct selection *selection, const struct trace_record *record) {
    uint64_t *sharers = selection->sharers[record->socket->requested_port];
    if ((record->flags & PW_FLAG_REUSEPORT) == 0 || record->socket->requested_port == 0 ||
        sharers[0] == record->process)
        return;
    sharers[1] = sharers[0];
    sharers[0] = record->process;
}

static void note_bind(struct selection *selection, const struct trace_record *record) {
    unsigned requested = record->socket->requested_port;
    if (requested != 0 && (record->error == 0 || record->error == EADDRINUSE))
        want(selection, requested, record->end_ns);
    if (requested != 0 && record->error == EADDRINUSE)
        note_refused(selection, requested, record);
    if (record->error != 0)
        return;
    /* RTCP has the number behind that of RTP (RFC 3550, section 11). */
    if (requested > 1 && record->socket->type == SOCK_DGRAM)
        want(selection, requested - 1, record->end_ns);
    note_reusable_udp(selection, record);
    note_sharer(selection, record);
    if (requested == 0 && (record->flags & PW_FLAG_ADDRESS_READ) != 0)
        note_assigner(selection, record->socket->assigned_port, record->process);
}

static void want_connections(struct selection *selection, unsigned port) {
    selection->connected[port] = true;
    want(selection, port, UINT64_MAX);
}

static bool is_of(const struct machine *machine, uint64_t owner, uint64_t process) {
    return owner != 0 && ancestry_is_related(machine, owner, process);
}

/* A connection to a number that the family had once, when somebody else was given it since; that
 * the family was refused; or that it shares with others. */
static void note_connect(struct selection *selection, const struct machine *machine,
                         const struct trace_record *record) {
    unsigned port = record->peer->port;
    const uint64_t *assigners = selection->assigners[port];
    if (selection->connected[port])
        return;
    if (is_of(machine, selection->refused[port], record->process) ||
        (selection->sharers[port][1] != 0 &&
         (is_of(machine, selection->sharers[port][0], record->process) ||
          is_of(machine, selection->sharers[port][1], record->process)))) {
        want_connections(selection, port);
        return;
    }
    if (assigners[0] == 0 || assigners[1] == 0 ||
        ancestry_is_related(machine, assigners[0], record->process))
        return;
    for (unsigned i = 1; i < SELECTION_ASSIGNERS && assigners[i] != 0; i++)
        if (ancestry_is_related(machine, assigners[i], record->process)) {
            want_connections(selection, port);
            return;
        }
}

/* A listener that accepts though another socket was bound to its port since. */
static void note_accept(struct selection *selection, const struct trace_record *record) {
    uint64_t last = selection->last_bound[record->socket->assigned_port];
    if (is_stream(record) && last != 0 && last != record->peer->other_cookie)
        want(selection, record->socket->assigned_port, UINT64_MAX);
}

void selection_note_ports(struct selection *selection, const struct machine *machine,
                          const struct trace_record *record) {
    if (!record->committed)
        return;
    if (record->kind == PW_KIND_ADDRESS_READ)
        note_assigner(selection, PW_PORT_OF_FLAGS(record->flags), record->process);
    if (record->socket == NULL)
        return;
    switch (record->kind) {
    case PW_KIND_BIND:
        note_bind(selection, record);
        break;
    case PW_KIND_LISTEN:
        if (record->error == EADDRINUSE)
            want(selection, record->socket->assigned_port, record->end_ns);
        break;
    case PW_KIND_CONNECT:
        if (record->peer != NULL)
            note_connect(selection, machine, record);
        break;
    case PW_KIND_ACCEPT:
        if (record->peer != NULL && record->error == 0)
            note_accept(selection, record);
        return;
    case PW_KIND_CLAIM:
    case PW_KIND_LEFTOVER:
        want(selection, record->socket->assigned_port, UINT64_MAX);
        return;
    case PW_KIND_AUTOBIND:
        break;
    default:
        return;
    }
    if (is_stream(record) && record->error == 0 && record->socket->assigned_port != 0)
        selection->last_bound[record->socket->assigned_port] = record->cookie;
}

/* A refused bind that the kernel reports begins and ends at one time. */
static bool is_wanted(const struct selection *selection, unsigned port, uint64_t from_ns) {
    return selection->wanted_to_ns[port] != 0 && selection->wanted_to_ns[port] >= from_ns;
}

static bool has_wanted_port(const struct selection *selection, const struct trace_record *record) {
    if (record->socket == NULL)
        return false;
    return is_wanted(selection, record->socket->assigned_port, record->begin_ns) ||
           is_wanted(selection, record->socket->requested_port, record->begin_ns) ||
           (record->kind == PW_KIND_CONNECT && record->peer != NULL &&
            selection->connected[record->peer->port]);
}

void selection_note_sockets(struct selection *selection, const struct trace_record *record) {
    if (!has_wanted_port(selection, record))
        return;
    follow(selection, record->cookie);
    if (record->kind == PW_KIND_ACCEPT && record->peer != NULL)
        follow(selection, record->peer->other_cookie);
}

bool selection_has(const struct selection *selection, const struct trace_record *record) {
    switch (record->kind) {
    case PW_KIND_PROCESS_START:
    case PW_KIND_FORK:
    case PW_KIND_PROCESS_EXIT:
        return true;
    default:
        break;
    }
    if (!record->committed)
        return true;
    /* Where a record has a wanted port, its socket is followed since the second reading. */
    return record->cookie != 0 ? is_followed(selection, record->cookie)
                               : has_wanted_port(selection, record);
}

void selection_free(struct selection *selection) {
    if (selection == NULL)
        return;
    map_free(&selection->cookies);
    free(selection);
}
