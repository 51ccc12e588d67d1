/*
 * A socket is known by its cookie whatever number it has. What the table knows is not asked again:
 * each extra system call shows in the guest's own times.
 */
#include "shim/socket/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>

#include "shim/gate.h"
#include "shim/identity.h"
#include "shim/process/module_map.h"
#include "shim/process/notified_pass.h"
#include "shim/process/sandbox.h"
#include "shim/real.h"
#include "shim/shared/guest_memory.h"
#include "shim/shared/raw_syscall.h"
#include "shim/socket/namespaces.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static void map_v4(uint8_t into[16], const struct in_addr *address) {
    memset(into, 0, 10);
    into[10] = into[11] = 0xff;
    memcpy(into + 12, address, 4);
}

struct ip_endpoint ip_endpoint_of(const void *address, socklen_t length) {
    struct ip_endpoint endpoint = {.family = 0};
    sa_family_t family;
    if (address == NULL || length < sizeof family)
        return endpoint;
    memcpy(&family, address, sizeof family);
    if (family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        map_v4(endpoint.address, &v4.sin_addr);
        endpoint.port = ntohs(v4.sin_port);
        endpoint.family = AF_INET;
    } else if (family == AF_INET6 && length >= 24 /* SIN6_LEN_RFC2133 */) {
        struct sockaddr_in6 v6 = {.sin6_scope_id = 0};
        memcpy(&v6, address, length < sizeof v6 ? length : sizeof v6);
        memcpy(endpoint.address, &v6.sin6_addr, 16);
        endpoint.port = ntohs(v6.sin6_port);
        endpoint.scope = v6.sin6_scope_id;
        endpoint.family = AF_INET6;
    }
    return endpoint;
}

bool socket_given_address(struct sockaddr_storage *into, const struct sockaddr *address,
                          socklen_t length, int result, int error) {
    if (address == NULL || length < sizeof(sa_family_t) || length > sizeof *into)
        return false;
    if (result < 0 && error != EADDRINUSE) /* else the kernel has read it */
        return error != EFAULT && error != EBADF && error != ENOTSOCK &&
               guest_copy(into, address, length);
    memcpy(into, address, length);
    return true;
}

static struct ip_endpoint ask_address(long call, int fd) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (raw_syscall6(call, fd, RAW(&address), RAW(&length), 0, notified_pass.token[0],
                     notified_pass.token[1]) < 0)
        length = 0;
    return ip_endpoint_of(&address, length);
}

struct ip_endpoint socket_local(int fd) {
    return ask_address(SYS_getsockname, fd);
}

struct ip_endpoint socket_remote(int fd) {
    return ask_address(SYS_getpeername, fd);
}

bool socket_is_unbound(int fd, const struct socket_facts *facts) {
    return facts->port == 0 && (facts->flags & DESCRIPTOR_NAMELESS) == 0 &&
           socket_local(fd).port == 0;
}

static _Thread_local struct {
    uint64_t cookie; /* 0 while the rest changes: a signal handler may come in between */
    uint64_t process;
    struct pw_start *start;
    uint16_t port;
} latest_bind;

void socket_remember_bind(uint64_t cookie, uint16_t port, struct record *record) {
    latest_bind.cookie = 0;
    atomic_signal_fence(memory_order_seq_cst);
    latest_bind.process = record->units[0].start.process;
    latest_bind.start = &record->units[0].start;
    latest_bind.port = port;
    atomic_signal_fence(memory_order_seq_cst);
    latest_bind.cookie = cookie;
}

void socket_forget_bind(void) { latest_bind.cookie = 0; }

bool socket_mark_read(uint64_t cookie, uint16_t port) {
    if (cookie == 0 || latest_bind.cookie != cookie || latest_bind.port != port || port == 0 ||
        latest_bind.process != identity_serial())
        return false;
    __atomic_fetch_or(&latest_bind.start->flags, PW_FLAG_ADDRESS_READ, __ATOMIC_RELAXED);
    return true;
}

bool socket_fill_in_port(uint64_t cookie, const struct ip_endpoint *local) {
    if (cookie == 0 || latest_bind.cookie != cookie || latest_bind.port != 0 ||
        latest_bind.process != identity_serial())
        return false;
    struct pw_socket *socket = &((union pw_unit *)(void *)latest_bind.start + 1)->socket;
    memcpy(socket->assigned, local->address, sizeof socket->assigned);
    socket->assigned_port = local->port;
    latest_bind.port = local->port;
    __atomic_fetch_or(&latest_bind.start->flags, PW_FLAG_HAS_ASSIGNED | PW_FLAG_ADDRESS_READ,
                      __ATOMIC_RELEASE);
    return true;
}

static bool ask_option(int fd, int level, int name, void *value, socklen_t length) {
    return raw_syscall6(SYS_getsockopt, fd, level, name, RAW(value), RAW(&length), 0) == 0;
}

uint64_t socket_cookie(int fd) {
    uint64_t cookie = 0;
    return ask_option(fd, SOL_SOCKET, SO_COOKIE, &cookie, sizeof cookie) ? cookie : 0;
}

uint64_t socket_cookie_of_new(int fd) {
    return sandbox_is_on() ? sandbox_cookie() : socket_cookie(fd);
}

bool socket_has_ports(int domain, int type, int protocol) {
    if (domain != AF_INET && domain != AF_INET6)
        return false;
    switch (protocol) {
    case 0:
        return type == SOCK_STREAM || type == SOCK_DGRAM || type == SOCK_SEQPACKET;
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
    case IPPROTO_SCTP:
    case IPPROTO_DCCP:
    case IPPROTO_MPTCP:
        return type != SOCK_RAW;
    default:
        return false;
    }
}

static uint32_t flag_if(int fd, int level, int name, uint64_t flag) {
    int value = 0;
    return ask_option(fd, level, name, &value, sizeof value) && value != 0 ? (uint32_t)flag : 0;
}

bool socket_ask(int fd, struct socket_facts *facts) {
    int domain = 0, type = 0, protocol = 0;
    struct stat status;
    if (!ask_option(fd, SOL_SOCKET, SO_DOMAIN, &domain, sizeof domain) ||
        !ask_option(fd, SOL_SOCKET, SO_TYPE, &type, sizeof type) ||
        !ask_option(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, sizeof protocol) ||
        !socket_has_ports(domain, type, protocol))
        return false;
    memset(facts, 0, sizeof *facts);
    facts->cookie = socket_cookie(fd);
    facts->netns = namespace_of_socket(fd);
    facts->family = (uint8_t)domain;
    facts->type = (uint8_t)type;
    facts->protocol = (uint16_t)protocol;
    facts->port = socket_local(fd).port;
    facts->uid = UINT32_MAX;
    if (raw_syscall4(SYS_newfstatat, fd, RAW(""), RAW(&status), AT_EMPTY_PATH) == 0)
        facts->uid = status.st_uid; /* the inode has the user of the socket's creation */
    facts->flags = flag_if(fd, SOL_SOCKET, SO_REUSEADDR, PW_FLAG_REUSEADDR) |
                   flag_if(fd, SOL_SOCKET, SO_REUSEPORT, PW_FLAG_REUSEPORT) |
                   flag_if(fd, SOL_SOCKET, SO_ACCEPTCONN, PW_FLAG_LISTENING);
    if (domain == AF_INET6)
        facts->flags |= flag_if(fd, IPPROTO_IPV6, IPV6_V6ONLY, PW_FLAG_V6ONLY);
    namespace_note(facts->netns, false);
    return facts->cookie != 0;
}

/* The number stands for another socket than when it was seen last: that one was closed unseen. */
static void record_inferred_release(int fd, const struct socket_facts *gone) {
    struct call_context context = {.begin_ns = monotonic_ns(), .flags = PW_FLAG_RELEASE_INFERRED};
    struct record record;
    if (socket_record_begin(&record, PW_KIND_CLOSE, 1, fd, gone, &context))
        record_commit(&record, 0);
}

bool socket_known(int fd, struct socket_facts *facts, bool must_check) {
    bool in_table = descriptor_copy(fd, facts);
    if (in_table && (!must_check || (facts->flags & DESCRIPTOR_FRESH) != 0 || sandbox_is_on())) {
        facts->flags &= ~DESCRIPTOR_FRESH;
        return true;
    }
    if (in_table) {
        uint64_t cookie = socket_cookie(fd);
        if (cookie == facts->cookie)
            return true;
        if (gate() == GATE_OPEN) {
            record_inferred_release(fd, facts);
            descriptor_clear(fd);
        }
    }
    if (!socket_ask(fd, facts))
        return false;
    socket_keep(fd, facts);
    return true;
}

/* The table knows whether there is a record: the caller's copy may be from before it. */
void socket_keep(int fd, const struct socket_facts *facts) {
    struct socket_facts kept = *facts;
    struct socket_facts present;
    if (gate() != GATE_OPEN)
        return;
    bool unrecorded = descriptor_copy(fd, &present) && present.cookie == facts->cookie &&
                      (present.flags & DESCRIPTOR_UNRECORDED) != 0;
    kept.flags =
        unrecorded ? facts->flags | DESCRIPTOR_UNRECORDED : facts->flags & ~DESCRIPTOR_UNRECORDED;
    descriptor_set(fd, &kept);
}

void socket_record(int fd) {
    struct socket_facts facts;
    struct record record;
    if (!descriptor_copy(fd, &facts) || (facts.flags & DESCRIPTOR_UNRECORDED) == 0)
        return;
    struct call_context context = {.number = NUMBER_socket, .begin_ns = monotonic_ns()};
    if (socket_record_begin(&record, PW_KIND_SOCKET, 2, fd, &facts, &context))
        record_commit(&record, context.begin_ns);
}

void sockets_record_all(void) {
    int limit = descriptor_limit();
    for (int fd = 0; fd < limit; fd++)
        socket_record(fd);
}

/* After a record of these kinds the reader knows who has the socket. */
static bool records_descriptor(enum pw_kind kind) {
    return kind == PW_KIND_SOCKET || kind == PW_KIND_BIND || kind == PW_KIND_LISTEN ||
           kind == PW_KIND_CONNECT || kind == PW_KIND_AUTOBIND;
}

bool socket_record_begin(struct record *record, enum pw_kind kind, unsigned count, int fd,
                         const struct socket_facts *facts, const struct call_context *context) {
    uint64_t serial = identity_serial();
    if (serial == 0)
        return false;
    if (context->site != NULL)
        module_note(context->site);
    if (!record_begin(record, kind, count, serial, fd, context->begin_ns))
        return false;
    if ((facts->flags & DESCRIPTOR_UNRECORDED) != 0 && records_descriptor(kind) &&
        gate() == GATE_OPEN)
        descriptor_recorded(fd);
    struct pw_start *start = &record->units[0].start;
    start->cookie = facts->cookie;
    start->site = (uint64_t)(uintptr_t)context->site;
    start->thread = identity_thread();
    start->source = PW_SOURCE_SHIM;
    start->call = (uint8_t)context->number;
    start->flags =
        context->flags | (facts->flags & (PW_FLAG_OPTIONS | PW_FLAG_LISTENING | PW_FLAG_BY_NUMBER));
    if (count < 2)
        return true;
    struct pw_socket *socket = &record->units[1].socket;
    socket->family = facts->family;
    socket->type = facts->type;
    socket->protocol = facts->protocol;
    socket->netns = facts->netns;
    socket->uid = facts->uid;
    socket->device = facts->device;
    return true;
}

struct port_question socket_port_question(const struct socket_facts *facts,
                                          const struct ip_endpoint *wanted) {
    return (struct port_question){.cookie = facts->cookie,
                                  .netns = facts->netns,
                                  .address = wanted->address,
                                  .port = wanted->port,
                                  .type = facts->type,
                                  .only_v6 = (facts->flags & PW_FLAG_V6ONLY) != 0};
}

void record_requested(struct record *record, const struct ip_endpoint *endpoint) {
    if (endpoint->family == 0)
        return;
    memcpy(record->units[1].socket.requested, endpoint->address, 16);
    record->units[1].socket.requested_port = endpoint->port;
    record->units[1].socket.scope = endpoint->scope;
    record->units[0].start.flags |= PW_FLAG_HAS_REQUESTED;
}

void record_assigned(struct record *record, const struct ip_endpoint *endpoint) {
    if (endpoint->family == 0)
        return;
    memcpy(record->units[1].socket.assigned, endpoint->address, 16);
    record->units[1].socket.assigned_port = endpoint->port;
    record->units[1].socket.scope = endpoint->scope;
    record->units[0].start.flags |= PW_FLAG_HAS_ASSIGNED;
}

void record_peer(struct record *record, const struct ip_endpoint *endpoint) {
    record->units[2].peer.other_descriptor = -1;
    if (endpoint->family == 0)
        return;
    memcpy(record->units[2].peer.address, endpoint->address, 16);
    record->units[2].peer.port = endpoint->port;
    record->units[2].peer.scope = endpoint->scope;
    record->units[0].start.flags |= PW_FLAG_HAS_PEER;
}

void socket_adopt(int fd, const struct socket_facts *facts, int original,
                  const struct call_context *context) {
    struct record record;
    socket_keep(fd, facts);
    if (!socket_record_begin(&record, PW_KIND_DESCRIPTOR, 3, fd, facts, context))
        return;
    struct ip_endpoint local = socket_local(fd);
    struct ip_endpoint none = {.family = 0};
    record_assigned(&record, &local);
    record_peer(&record, &none);
    record.units[2].peer.other_descriptor = original;
    record_commit(&record, 0);
}
