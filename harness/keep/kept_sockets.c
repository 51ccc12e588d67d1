/*
 * A kept TCP socket is bound and never listens: who connects is refused, as if nobody had the port.
 * A kept UDP socket is bound to a device that there is not, from its first moment on: it gets no
 * datagram, and a send to the port is answered by ECONNREFUSED (inet_sk_bound_dev_eq), while nobody
 * who is bound to no device can have the port beside it (inet_rcv_saddr_equal and the callers).
 * SO_REUSEADDR is off on it, or strangers would be given the port for port 0 (udp(7)).
 */
#include "harness/keep/kept_sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>

#include "harness/capture/unrecorded.h"
#include "shim/shared/port_table.h"
#include "shim/shared/recorder.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

enum {
    ENTRIES = 2 * PW_KEEP_PORTS, /* TCP, UDP */
    NONE = ENTRIES,
    DESCRIPTORS_SPARE = 32,
    GIVEN_UP_PART = 16,
    NO_DEVICE = 0x7ffffff0, /* the kernel numbers interfaces from 1 on */
    NOBODYS_PORT = 9        /* discard (RFC 863): nothing is sent from there */
};

#define SHARED_NS_MOST UINT64_C(1000000000)

struct kept {
    int fd;
    uint32_t older, newer; /* indexes, NONE: there is none */
    uint64_t until_ns;
    uint64_t shared_ns; /* since when others may share the port with it, 0: they may not */
    uint8_t address[16];
    uint8_t beside[16]; /* what the program's socket is bound to */
    bool only_v6;
    bool is_kept;
};

struct queue {
    uint32_t oldest, newest;
    unsigned count;
    unsigned shared;
};

/* In the keeper's memory alone. */
static struct kept entries[ENTRIES];
static struct queue queues[2];
static struct {
    struct pw_keep_area *area;
    uint64_t keep_ns;
    uint16_t low, high;
    unsigned most;     /* of each protocol */
    unsigned most_all; /* of both */
} rules;

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

void kept_begin(struct pw_keep_area *area, uint64_t keep_ns, uint16_t low, uint16_t high) {
    struct rlimit limit = {.rlim_cur = 256};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    rules.area = area;
    rules.keep_ns = keep_ns;
    rules.low = low;
    rules.high = high;
    rules.most = ((unsigned)(high - low) + 1) / 4;
    rules.most_all = limit.rlim_cur > ENTRIES ? ENTRIES
                     : limit.rlim_cur > DESCRIPTORS_SPARE
                         ? (unsigned)limit.rlim_cur - DESCRIPTORS_SPARE
                         : 0;
    for (unsigned i = 0; i < 2; i++)
        queues[i] = (struct queue){.oldest = NONE, .newest = NONE};
}

static uint32_t index_of(bool is_udp, uint16_t port) {
    return (is_udp ? PW_KEEP_PORTS : 0) + (uint32_t)port;
}

static struct queue *queue_of(uint32_t index) { return &queues[index / PW_KEEP_PORTS]; }

static _Atomic uint32_t *word_of(uint32_t index) {
    return &rules.area->kept[index / PW_KEEP_PORTS][index % PW_KEEP_PORTS];
}

static void enter(uint32_t index) {
    struct queue *queue = queue_of(index);
    struct kept *entry = &entries[index];
    entry->newer = NONE;
    entry->older = queue->newest;
    if (queue->newest != NONE)
        entries[queue->newest].newer = index;
    else
        queue->oldest = index;
    queue->newest = index;
    queue->count++;
    entry->is_kept = true;
}

/* Guests are told at last: who sees that nothing is kept any more is refused by it no more. */
static void drop(uint32_t index) {
    struct queue *queue = queue_of(index);
    struct kept *entry = &entries[index];
    unrecorded_close(entry->fd);
    atomic_store(word_of(index), 0);
    if (entry->older != NONE)
        entries[entry->older].newer = entry->newer;
    else
        queue->oldest = entry->newer;
    if (entry->newer != NONE)
        entries[entry->newer].older = entry->older;
    else
        queue->newest = entry->older;
    queue->count--;
    queue->shared -= entry->shared_ns != 0;
    *entry = (struct kept){.fd = -1};
}

static bool give_up(uint32_t index) {
    if (index == NONE)
        return false;
    drop(index);
    atomic_fetch_add(&rules.area->count[PW_KEEP_GIVEN_UP], 1);
    return true;
}

/* Of one protocol. */
static bool give_up_oldest(struct queue *queue) { return give_up(queue->oldest); }

/* ... whose port the socket may have that asks for room. */
static bool give_up_oldest_for(const struct queue *queue, const struct keep_question *wanted) {
    uint32_t low = wanted->scope & 0xffff, high = wanted->scope >> 16, index = queue->oldest;
    while (index != NONE &&
           (index % PW_KEEP_PORTS < low || (high != 0 && index % PW_KEEP_PORTS > high)))
        index = entries[index].newer;
    return give_up(index);
}

/* Of both. */
static bool give_up_any(void) {
    uint32_t tcp = queues[0].oldest, udp = queues[1].oldest;
    bool is_udp = tcp == NONE || (udp != NONE && entries[udp].until_ns < entries[tcp].until_ns);
    return give_up_oldest(&queues[is_udp]);
}

static socklen_t address_of(const struct keep_question *wanted, union address *address) {
    memset(address, 0, sizeof *address);
    if (wanted->family == AF_INET) {
        address->in.sin_family = AF_INET;
        address->in.sin_port = htons(wanted->port);
        memcpy(&address->in.sin_addr, wanted->address + 12, 4);
        return sizeof address->in;
    }
    address->in6.sin6_family = AF_INET6;
    address->in6.sin6_port = htons(wanted->port);
    address->in6.sin6_scope_id = wanted->scope;
    memcpy(&address->in6.sin6_addr, wanted->address, 16);
    return sizeof address->in6;
}

static bool set(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

static int new_socket(const struct keep_question *wanted) {
    int type = (wanted->is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
    return unrecorded_result(raw_syscall3(SYS_socket, wanted->family, type, 0));
}

/* With SO_REUSEPORT for the time of its bind, where the program's socket has it: the kernel notes
 * with a TCP port what the last one had that was bound there (inet_csk_update_fastreuse). */
static bool give_options(int fd, const struct keep_question *wanted) {
    return (wanted->family != AF_INET6 || set(fd, IPPROTO_IPV6, IPV6_V6ONLY, wanted->only_v6)) &&
           (wanted->device == 0 || set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, (int)wanted->device)) &&
           (!wanted->may_join || set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
           set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
}

/* At an address of IPv6 the device would have to be there, at the wildcard it has not. */
static struct keep_question without_device(const struct keep_question *wanted) {
    struct keep_question place = *wanted;
    place.device = NO_DEVICE;
    if (port_address_is_v4(wanted->address)) {
        place.family = AF_INET;
    } else if (!port_address_is_any(wanted->address)) {
        memset(place.address, 0, sizeof place.address);
        place.only_v6 = true;
    }
    return place;
}

/* Of a socket that is bound to a device the kept one has to be bound to that as well: it is
 * connected to where nobody is. Within 127.0.0.0/8 no host has its broadcast address; of IPv6 there
 * is no such, and the socket's own with a port that nothing is sent from must do. */
static bool hear_nobody(int fd, const struct keep_question *wanted) {
    struct keep_question nobody = *wanted;
    union address address;
    nobody.port = NOBODYS_PORT;
    if (port_address_is_v4(wanted->address))
        memcpy(nobody.address + 12, (const uint8_t[4]){127, 255, 255, 254}, 4);
    socklen_t length = address_of(&nobody, &address);
    return unrecorded_connect(fd, &address.any, length) == 0;
}

static bool bind_beside(int fd, const struct keep_question *wanted) {
    union address address;
    socklen_t length = address_of(wanted, &address);
    if (!give_options(fd, wanted) || unrecorded_bind(fd, &address.any, length) != 0)
        return false;
    if (wanted->may_join && !set(fd, SOL_SOCKET, SO_REUSEPORT, 0))
        return false;
    return !wanted->is_udp || ((wanted->device == NO_DEVICE || hear_nobody(fd, wanted)) &&
                               set(fd, SOL_SOCKET, SO_REUSEADDR, 0));
}

static bool lacks_room(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* In the whole limit of files as well, which others share (file-max, proc_sys_fs(5)). */
static int open_socket(const struct keep_question *wanted) {
    int fd = new_socket(wanted);
    while (fd < 0 && lacks_room(errno) && give_up_any())
        fd = new_socket(wanted);
    return fd;
}

static uint32_t cookie_of(int fd) {
    uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0 ? (uint32_t)cookie : 0;
}

static bool is_ours_to_keep(const struct keep_question *wanted) {
    return wanted->port >= rules.low && wanted->port <= rules.high && wanted->port != 0 &&
           (wanted->family == AF_INET || wanted->family == AF_INET6) &&
           (wanted->family != AF_INET || port_address_is_v4(wanted->address)) &&
           !(wanted->is_udp && wanted->device != 0 && port_address_is_any(wanted->address)) &&
           rules.most > 0 && rules.most_all > 0;
}

bool kept_take(const struct keep_question *wanted) {
    uint32_t index = index_of(wanted->is_udp, wanted->port);
    struct kept *entry = &entries[index];
    struct queue *queue = queue_of(index);
    if (!is_ours_to_keep(wanted))
        return false;
    if (entry->is_kept)
        return memcmp(entry->beside, wanted->address, 16) == 0;
    while (queue->count >= rules.most && give_up_oldest(queue))
        ;
    while (queues[0].count + queues[1].count >= rules.most_all && give_up_any())
        ;
    const struct keep_question place =
        wanted->is_udp && wanted->device == 0 ? without_device(wanted) : *wanted;
    int fd = open_socket(&place);
    uint32_t cookie = fd >= 0 ? cookie_of(fd) : 0;
    if (fd < 0)
        return false;
    if (cookie == 0 || !bind_beside(fd, &place)) {
        unrecorded_close(fd);
        return false;
    }
    *entry = (struct kept){
        .fd = fd, .until_ns = monotonic_ns() + rules.keep_ns, .only_v6 = place.only_v6};
    memcpy(entry->address, place.address, 16);
    memcpy(entry->beside, wanted->address, 16);
    enter(index);
    atomic_store(word_of(index), cookie);
    atomic_fetch_add(&rules.area->count[PW_KEEP_KEPT], 1);
    return true;
}

static bool meets(const struct kept *entry, const struct keep_question *wanted) {
    return entry->is_kept &&
           port_addresses_meet(entry->address, entry->only_v6, wanted->address, wanted->only_v6);
}

bool kept_close(const struct keep_question *wanted) {
    uint32_t index = index_of(wanted->is_udp, wanted->port);
    if (!meets(&entries[index], wanted))
        return false;
    drop(index);
    return true;
}

/* A TCP socket has SO_REUSEADDR all the time, and refuses those that have SO_REUSEPORT alone. */
static void share(uint32_t index, bool on) {
    struct kept *entry = &entries[index];
    int option = index >= PW_KEEP_PORTS ? SO_REUSEADDR : SO_REUSEPORT;
    if (on == (entry->shared_ns != 0) || !set(entry->fd, SOL_SOCKET, option, on))
        return;
    entry->shared_ns = on ? monotonic_ns() : 0;
    queue_of(index)->shared += on ? 1u : -1u;
}

bool kept_share(const struct keep_question *wanted, bool on) {
    uint32_t index = index_of(wanted->is_udp, wanted->port);
    if (!meets(&entries[index], wanted))
        return false;
    share(index, on);
    return true;
}

/* Whether the kernel has a port for one more socket. A TCP connect passes over each port that is
 * bound, at whatever address of either family, so there a wildcard of both is what has to find one
 * (__inet_hash_connect). */
static bool has_free_port(const struct keep_question *wanted) {
    union address address;
    struct keep_question any = {.family = wanted->is_udp ? wanted->family : AF_INET6,
                                .is_udp = wanted->is_udp};
    int fd = new_socket(&any);
    if (fd < 0 && any.family != wanted->family) {
        any.family = wanted->family;
        fd = new_socket(&any);
    }
    any.address[10] = any.address[11] = any.family == AF_INET ? 0xff : 0;
    socklen_t length = address_of(&any, &address);
    if (fd >= 0 && any.family == AF_INET6)
        (void)set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (fd >= 0 && wanted->scope != 0)
        (void)set(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, (int)wanted->scope);
    bool has = fd < 0 || unrecorded_bind(fd, &address.any, length) == 0 || errno != EADDRINUSE;
    if (fd >= 0)
        unrecorded_close(fd);
    return has;
}

/* What is kept beside a socket that is still open makes no room. */
bool kept_make_room(const struct keep_question *wanted) {
    struct queue *queue = &queues[wanted->is_udp];
    if ((wanted->family != AF_INET && wanted->family != AF_INET6) || queue->count == 0)
        return false;
    bool given_up = true;
    while (given_up && !has_free_port(wanted))
        for (unsigned left = queue->count / GIVEN_UP_PART + 1; given_up && left > 0; left--)
            given_up = give_up_oldest_for(queue, wanted);
    return true;
}

static void end_sharing(const struct queue *queue, uint64_t now) {
    for (uint32_t i = queue->oldest; i != NONE && queue->shared > 0; i = entries[i].newer)
        if (entries[i].shared_ns != 0 && now - entries[i].shared_ns > SHARED_NS_MOST)
            share(i, false);
}

uint64_t kept_expire(void) {
    uint64_t now = monotonic_ns(), next = UINT64_MAX;
    for (unsigned i = 0; i < 2; i++) {
        struct queue *queue = &queues[i];
        while (queue->oldest != NONE && entries[queue->oldest].until_ns <= now) {
            drop(queue->oldest);
            atomic_fetch_add(&rules.area->count[PW_KEEP_EXPIRED], 1);
        }
        if (queue->oldest != NONE && entries[queue->oldest].until_ns - now < next)
            next = entries[queue->oldest].until_ns - now;
    }
    end_sharing(&queues[0], now);
    end_sharing(&queues[1], now);
    return queues[0].shared + queues[1].shared > 0 && next > SHARED_NS_MOST ? SHARED_NS_MOST : next;
}
