/* socket and setsockopt: the kind and the options of a socket are noted when they are set, so that
 * a bind need not ask for them. */
#include <netinet/in.h>
#include <string.h>

#include "shim/frames/python.h"
#include "shim/gate.h"
#include "shim/identity.h"
#include "shim/real.h"
#include "shim/shared/raw_syscall.h"
#include "shim/socket/namespaces.h"
#include "shim/socket/sockets.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

static void note_new_socket(int fd, int domain, int type, int protocol) {
    static const int protocols[] = {
        [SOCK_STREAM] = IPPROTO_TCP, [SOCK_DGRAM] = IPPROTO_UDP, [SOCK_SEQPACKET] = IPPROTO_SCTP};
    struct socket_facts facts = {.family = (uint8_t)domain, .type = (uint8_t)type};
    facts.protocol = (uint16_t)(protocol != 0 ? protocol : protocols[type]);
    facts.cookie = socket_cookie_of_new(fd);
    facts.netns = namespace_of_new_socket(fd);
    facts.uid = identity_uid();
    if (facts.cookie == 0) {
        recorder_lost(PW_LOST_SOCKETS, 1);
        return;
    }
    facts.flags = DESCRIPTOR_FRESH | DESCRIPTOR_UNRECORDED;
    descriptor_set(fd, &facts);
}

int call_socket(int domain, int type, int protocol, const void *site) {
    python_meet(PYTHON_AT_SOCKET);
    int kind = type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!socket_has_ports(domain, kind, protocol) || gate() != GATE_OPEN) {
        int other = real.socket(domain, type, protocol);
        if (other >= 0 && gate() == GATE_OPEN)
            descriptor_clear(other);
        return other;
    }
    (void)site; /* a record is due at the first use, and has that one's */
    int fd = real.socket(domain, type, protocol);
    if (fd >= 0)
        note_new_socket(fd, domain, kind, protocol);
    return fd;
}

struct option_row {
    int level;
    int name;
    enum pw_option option;
    uint32_t flag;
};

static const struct option_row option_rows[] = {
    {SOL_SOCKET, SO_REUSEADDR, PW_OPTION_REUSEADDR, PW_FLAG_REUSEADDR},
    {SOL_SOCKET, SO_REUSEPORT, PW_OPTION_REUSEPORT, PW_FLAG_REUSEPORT},
    {SOL_SOCKET, SO_LINGER, PW_OPTION_LINGER, 0},
    {SOL_SOCKET, SO_BINDTODEVICE, PW_OPTION_DEVICE, 0},
    {SOL_SOCKET, SO_BINDTOIFINDEX, PW_OPTION_DEVICE, 0},
    {IPPROTO_IPV6, IPV6_V6ONLY, PW_OPTION_V6ONLY, PW_FLAG_V6ONLY},
    {IPPROTO_IP, IP_FREEBIND, PW_OPTION_FREEBIND, PW_FLAG_FREEBIND},
    {IPPROTO_IPV6, IPV6_FREEBIND, PW_OPTION_FREEBIND, PW_FLAG_FREEBIND},
    {IPPROTO_IP, IP_TRANSPARENT, PW_OPTION_TRANSPARENT, PW_FLAG_TRANSPARENT},
    {IPPROTO_IPV6, IPV6_TRANSPARENT, PW_OPTION_TRANSPARENT, PW_FLAG_TRANSPARENT},
    {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, PW_OPTION_BIND_ADDRESS_NO_PORT,
     PW_FLAG_BIND_ADDRESS_NO_PORT},
    {SOL_SOCKET, SO_BROADCAST, PW_OPTION_BROADCAST, 0},
    {IPPROTO_IP, IP_ADD_MEMBERSHIP, PW_OPTION_MULTICAST, 0},
    {IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, PW_OPTION_MULTICAST, 0},
    {IPPROTO_IP, MCAST_JOIN_GROUP, PW_OPTION_MULTICAST, 0},
    {IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, PW_OPTION_MULTICAST, 0},
    {IPPROTO_IPV6, IPV6_JOIN_GROUP, PW_OPTION_MULTICAST, 0},
    {IPPROTO_IPV6, MCAST_JOIN_GROUP, PW_OPTION_MULTICAST, 0},
    {IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, PW_OPTION_MULTICAST, 0},
    {IPPROTO_IP, IP_LOCAL_PORT_RANGE, PW_OPTION_LOCAL_PORT_RANGE, PW_FLAG_LOCAL_PORT_RANGE},
};

static const struct option_row *find_row(int level, int name) {
    for (size_t i = 0; i < sizeof option_rows / sizeof *option_rows; i++)
        if (option_rows[i].level == level && option_rows[i].name == name)
            return &option_rows[i];
    return NULL;
}

/* The device that the kernel now has for the socket, as an interface index. */
static uint32_t device_of(int fd) {
    int index = 0;
    socklen_t length = sizeof index;
    if (raw_syscall6(SYS_getsockopt, fd, SOL_SOCKET, SO_BINDTOIFINDEX, RAW(&index), RAW(&length),
                     0) < 0)
        index = 0;
    return (uint32_t)index;
}

static void change_facts(struct socket_facts *facts, int fd, const struct option_row *row,
                         const int value[2]) {
    uint32_t flag = row->flag;
    bool on = value[0] != 0;
    if (row->option == PW_OPTION_LINGER) {
        flag = PW_FLAG_LINGER_ZERO;
        on = value[0] != 0 && value[1] == 0;
    }
    facts->flags = on ? facts->flags | flag : facts->flags & ~flag;
    if (row->option == PW_OPTION_REUSEADDR && on)
        facts->flags |= DESCRIPTOR_SHARED;
    if (row->option == PW_OPTION_DEVICE)
        facts->device = device_of(fd);
}

/* No more than the kernel read of an accepted value: the buffer may end there, or be NULL for no
 * device and, in IPv6, for 0. In IP a short value is one byte. */
static size_t bytes_read(const struct option_row *row, const void *value, socklen_t length) {
    if (row->option == PW_OPTION_DEVICE || row->option == PW_OPTION_MULTICAST || value == NULL)
        return 0;
    if (row->option == PW_OPTION_LINGER)
        return 2 * sizeof(int);
    if (length >= sizeof(int))
        return sizeof(int);
    return row->level == IPPROTO_IP && length > 0 ? 1 : 0;
}

int call_setsockopt(int fd, int level, int name, const void *value, socklen_t length,
                    const void *site) {
    const struct option_row *row = find_row(level, name);
    struct socket_facts facts;
    if (row == NULL || gate() != GATE_OPEN || !descriptor_copy(fd, &facts))
        return real.setsockopt(fd, level, name, value, length);
    struct call_context context = {
        .number = NUMBER_setsockopt, .site = site, .begin_ns = monotonic_ns()};
    int result = real.setsockopt(fd, level, name, value, length);
    if (result < 0)
        return result;
    int given[2] = {0, 0};
    size_t read = bytes_read(row, value, length);
    if (read > 0)
        memcpy(given, value, read);
    change_facts(&facts, fd, row, given);
    socket_keep(fd, &facts);
    struct record record;
    if (!socket_record_begin(&record, PW_KIND_OPTION, 2, fd, &facts, &context))
        return result;
    struct pw_numbers *numbers = record_numbers(&record);
    numbers->code = row->option;
    numbers->number[0] = row->option == PW_OPTION_DEVICE      ? facts.device
                         : row->option == PW_OPTION_MULTICAST ? 1
                                                              : (uint64_t)(unsigned)given[0];
    numbers->number[1] = row->option == PW_OPTION_LINGER ? (uint64_t)(unsigned)given[1] : 0;
    record_commit(&record, 0);
    return result;
}
