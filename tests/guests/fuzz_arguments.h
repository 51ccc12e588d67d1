/* Arguments drawn for both twins at once: the same, but for descriptors, addresses of memory and
 * port numbers. See fuzz_calls.c. */
#ifndef FUZZ_ARGUMENTS_H
#define FUZZ_ARGUMENTS_H

#include <linux/close_range.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/un.h>
#include <time.h>

#include "tests/guests/fuzz_sockets.h"

struct invocation {
    long argument[TWINS][6];
    struct slot *slot;
    unsigned next;  /* argument */
    bool may_run;   /* the program is one that could be executed: the rest must be bad */
    const char *of; /* the row's name */
};

static void add(struct invocation *to, long wrapped, long bare) {
    to->argument[WRAPPED][to->next] = wrapped;
    to->argument[BARE][to->next++] = bare;
}

static void add_both(struct invocation *to, long value) { add(to, value, value); }

static void add_place(struct invocation *to, const struct place *place) {
    add(to, address_in(WRAPPED, place), address_in(BARE, place));
}

static void add_descriptor(struct invocation *to) {
    static const int odd[] = {-1, PARKED - 1, 1000000, INT_MIN, INT_MAX};
    if (below(8) == 0) {
        add_both(to, PICK(odd));
        return;
    }
    struct slot *slot = made_slot((enum kind)below(KINDS));
    if (to->slot == NULL)
        to->slot = slot;
    add(to, slot->fd[WRAPPED], slot->fd[BARE]);
}

/* A number for each twin that nobody has; below every range that a test hands out. */
static in_port_t own_port(int twin) {
    static unsigned taken;
    if (twin == WRAPPED)
        taken = (taken + TWINS) % 16000;
    return (in_port_t)(1100 + taken + (unsigned)twin);
}

union any_address {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

/* Returns its length. Port 1 has no listener; to be bound it would go to one of the twins alone. */
static size_t put_address(const struct place *place, bool is_to_be_bound) {
    static const sa_family_t families[] = {AF_INET,   AF_INET, AF_INET, AF_INET6,
                                           AF_UNSPEC, AF_UNIX, 9999};
    static const uint32_t hosts[] = {INADDR_LOOPBACK, INADDR_LOOPBACK, INADDR_ANY, 0xcb00714d};
    union any_address address;
    sa_family_t family = PICK(families);
    uint32_t host = PICK(hosts);
    unsigned port = below(3);
    if (port == 1 && is_to_be_bound)
        port = 2;
    for (int twin = 0; twin < TWINS; twin++) {
        memset(&address, 0, sizeof address);
        address.v4.sin_family = family;
        address.v4.sin_port = htons(port == 2 ? own_port(twin) : (in_port_t)port);
        if (family == AF_INET || family == AF_UNSPEC)
            address.v4.sin_addr.s_addr = htonl(host);
        else if (family == AF_INET6 && host == INADDR_LOOPBACK)
            address.v6.sin6_addr = in6addr_loopback;
        else if (family == AF_UNIX)
            memcpy(address.local.sun_path, "/nowhere/docker.sock", 20);
        put_at(twin, place, &address, sizeof address);
    }
    return family == AF_INET6 ? sizeof address.v6 : sizeof address.v4;
}

static void add_address(struct invocation *to) {
    struct place place = draw_place(NAME, sizeof(struct sockaddr_in) + 12 * below(2));
    size_t length = put_address(&place, to->of[0] == 'b');
    add_place(to, &place);
    add_both(to, odd_length(length));
}

/* Where the kernel puts an address, and how long it may be. */
static void add_result_address(struct invocation *to) {
    struct place place = draw_place(NAME, sizeof(struct sockaddr_in));
    struct place length = draw_place(LENGTH, sizeof(socklen_t));
    int value = (int)odd_length(sizeof(struct sockaddr_storage));
    put_both(&length, &value, sizeof value);
    add_place(to, &place);
    add_place(to, &length);
}

static void add_data(struct invocation *to) {
    struct place place = draw_place(DATA, 64);
    add_place(to, &place);
    add_both(to, odd_length(10));
}

static int odd_flags(void) {
    static const int flags[] = {
        0,          0, MSG_DONTWAIT, MSG_PEEK, MSG_OOB, MSG_FASTOPEN, MSG_CMSG_CLOEXEC, MSG_TRUNC,
        MSG_CTRUNC, -1};
    return PICK(flags);
}

/* A control part; mostly descriptors. Returns its length. */
static size_t put_control(const struct place *place, const struct slot *passed) {
    static const size_t lengths[] = {CMSG_LEN(4), CMSG_LEN(4), CMSG_LEN(4), CMSG_LEN(0), 15,
                                     0,           17,          SIZE_MAX,    CMSG_LEN(64)};
    const struct cmsghdr header = {PICK(lengths), SOL_SOCKET, below(4) == 0 ? 99 : SCM_RIGHTS};
    for (int twin = 0; twin < TWINS; twin++) {
        char part[CMSG_LEN(2 * sizeof(int))] = {0};
        memcpy(part, &header, sizeof header);
        memcpy(part + sizeof header, &passed->fd[twin], sizeof(int));
        put_at(twin, place, part, sizeof part);
    }
    return below(2) == 0 ? CMSG_LEN(8) : CMSG_LEN(4);
}

struct message_places {
    struct place name, control, vector, data;
    struct msghdr plain; /* what both have the same */
};

static struct message_places draw_message(const struct slot *passed) {
    static const size_t counts[] = {1, 1, 1, 1, 0, 2, 1024, 1025, SIZE_MAX};
    struct message_places at = {.name = draw_place(NAME, sizeof(struct sockaddr_in)),
                                .control = draw_place(CONTROL, CMSG_LEN(4)),
                                .vector = draw_place(VECTOR, sizeof(struct iovec)),
                                .data = draw_place(DATA, 64)};
    at.plain.msg_namelen = (socklen_t)odd_length(put_address(&at.name, false));
    at.plain.msg_controllen = (size_t)odd_length(put_control(&at.control, passed));
    at.plain.msg_iovlen = PICK(counts);
    if (below(2) == 0)
        at.name = (struct place){.is_bad = true};
    if (below(2) == 0)
        at.plain.msg_controllen = 0;
    for (int twin = 0; twin < TWINS; twin++) {
        struct iovec vector = {(void *)address_in(twin, &at.data), 10};
        put_at(twin, &at.vector, &vector, sizeof vector);
    }
    return at;
}

static struct msghdr message_of(int twin, const struct message_places *at) {
    struct msghdr message = at->plain;
    message.msg_name = (void *)address_in(twin, &at->name);
    message.msg_control = (void *)address_in(twin, &at->control);
    message.msg_iov = (void *)address_in(twin, &at->vector);
    return message;
}

static void add_message(struct invocation *to) {
    struct message_places at = draw_message(made_slot((enum kind)below(KINDS)));
    struct place place = draw_place(MAIN, sizeof(struct msghdr));
    for (int twin = 0; twin < TWINS; twin++) {
        struct msghdr message = message_of(twin, &at);
        put_at(twin, &place, &message, sizeof message);
    }
    add_place(to, &place);
}

static void add_messages(struct invocation *to) {
    static const unsigned counts[] = {0, 0, 1, 1, 2, 3, 1024, UINT_MAX};
    struct message_places at = draw_message(made_slot((enum kind)below(KINDS)));
    struct place place = draw_place(MAIN, below(4) * sizeof(struct mmsghdr));
    for (int twin = 0; twin < TWINS; twin++) {
        struct mmsghdr messages[3] = {{.msg_hdr = message_of(twin, &at)}};
        messages[1] = messages[2] = messages[0];
        put_at(twin, &place, messages, sizeof messages);
    }
    add_place(to, &place);
    add_both(to, PICK(counts));
}

static void add_time(struct invocation *to) {
    const struct timespec none = {0, 0};
    struct place place = draw_place(LENGTH, sizeof none);
    if (below(2) == 0)
        place = (struct place){.is_bad = true}; /* NULL */
    put_both(&place, &none, sizeof none);
    add_place(to, &place);
}

static void add_option(struct invocation *to) {
    static const int options[][2] = {{SOL_SOCKET, SO_REUSEADDR},
                                     {SOL_SOCKET, SO_REUSEPORT},
                                     {SOL_SOCKET, SO_LINGER},
                                     {SOL_SOCKET, SO_BINDTODEVICE},
                                     {SOL_SOCKET, 62 /* SO_BINDTOIFINDEX */},
                                     {SOL_SOCKET, SO_RCVBUF},
                                     {IPPROTO_IPV6, IPV6_V6ONLY},
                                     {IPPROTO_IP, IP_FREEBIND},
                                     {IPPROTO_IPV6, IPV6_FREEBIND},
                                     {IPPROTO_IP, IP_TRANSPARENT},
                                     {IPPROTO_IPV6, IPV6_TRANSPARENT},
                                     {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT},
                                     {IPPROTO_IP, 51 /* IP_LOCAL_PORT_RANGE */},
                                     {IPPROTO_TCP, TCP_NODELAY},
                                     {SOL_SOCKET, 9999},
                                     {-1, -1}};
    static const int values[] = {0, 1, -1, 256, INT_MAX};
    const int *option = PICK(options);
    size_t length = option[1] == SO_LINGER ? sizeof(struct linger) : sizeof(int);
    struct place place = draw_place(MAIN, length);
    int value[2] = {PICK(values), below(2) == 0 ? 0 : 1};
    put_both(&place, value, sizeof value);
    add_both(to, option[0]);
    add_both(to, option[1]);
    add_place(to, &place);
    add_both(to, odd_length(length));
}

static void add_socket(struct invocation *to) {
    static const int domains[] = {AF_INET, AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, 9999, -1};
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM,          SOCK_RAW, SOCK_SEQPACKET,
                                9,           SOCK_STREAM | 02000, 0,        -1};
    static const int protocols[] = {0, 0, 0, IPPROTO_TCP, IPPROTO_UDP, 262, 9999, -1};
    add_both(to, PICK(domains));
    add_both(to, PICK(types));
    add_both(to, PICK(protocols));
}

static void add_command(struct invocation *to) {
    static const int commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_GETFL, F_GETOWN,
                                   F_GETLK, F_GETOWN_EX,     9999,    -1};
    static const long arguments[] = {0, 3, -1, INT_MAX, 100000};
    int command = PICK(commands);
    add_both(to, command);
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) {
        add_both(to, PICK(arguments));
        return;
    }
    struct place place = draw_place(MAIN, sizeof(struct flock));
    const struct flock lock = {.l_type = F_WRLCK};
    put_both(&place, &lock, sizeof lock);
    add_place(to, &place);
}

/* A number that a duplicate is to get, or that is parked for being closed. */
static void add_target(struct invocation *to) {
    static const int odd[] = {-1, 100000, INT_MAX};
    if (below(3) == 0)
        add_both(to, PICK(odd));
    else
        add(to, PARKED + WRAPPED, PARKED + BARE);
}

static void park(const struct slot *slot) {
    for (int twin = 0; twin < TWINS; twin++)
        PREPARE(twin, SYS_dup3, slot->fd[twin], PARKED + twin, O_CLOEXEC);
}

static void add_range(struct invocation *to) {
    static const int flags[] = {0, 0, CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC, 256, -1};
    park(made_slot((enum kind)below(KINDS)));
    bool is_empty = below(3) == 0;
    add(to, PARKED + WRAPPED, PARKED + BARE);
    add(to, PARKED + WRAPPED - is_empty, PARKED + BARE - is_empty);
    add_both(to, PICK(flags));
}

/* A number or flag that no call takes, or one that does nothing. */
static void add_number(struct invocation *to) {
    static const int numbers[] = {0, 1, 2, 3, 7, -1, INT_MAX, INT_MIN};
    add_both(to, PICK(numbers));
}

static void add_unshared(struct invocation *to) {
    static const int flags[] = {0, CLONE_FS, 1, -1};
    add_both(to, PICK(flags));
}

static void add_user(struct invocation *to) { add_both(to, below(2) == 0 ? (long)getuid() : -1); }

/* For a function of libc that reads it itself: always readable. */
static void add_own_address(struct invocation *to) {
    static const sa_family_t families[] = {AF_INET, AF_INET, AF_INET6, AF_UNSPEC};
    struct place place = good_place(NAME, sizeof(struct sockaddr_in));
    const struct sockaddr_in address = {.sin_family = PICK(families)};
    put_both(&place, &address, sizeof address);
    if (below(4) == 0)
        place = (struct place){.is_bad = true};
    add_place(to, &place);
}

static void add_reserved_port(struct invocation *to) {
    static const int ports[] = {0, 511, 600, 1023, 1024, -1};
    struct place place = good_place(MAIN, sizeof(int));
    int port = PICK(ports);
    put_both(&place, &port, sizeof port);
    add_place(to, &place);
}

static void add_stream(struct invocation *to) {
    static const char *const modes[] = {"r", "w"};
    const struct slot *slot = made_slot((enum kind)below(KINDS));
    const char *mode = PICK(modes);
    bool is_closed_below = below(4) == 0;
    for (int twin = 0; twin < TWINS; twin++) {
        int fd = (int)PREPARE(twin, SYS_fcntl, slot->fd[twin], F_DUPFD_CLOEXEC, 0);
        FILE *stream = fdopen(fd, mode);
        if (stream == NULL)
            stream = fopen("/dev/null", mode);
        else if (is_closed_below)
            PREPARE(twin, SYS_close, fd);
        to->argument[twin][to->next] = (long)stream;
    }
    to->next++;
}

#endif
