/*
 * Two sockets can have one address and port where both have SO_REUSEADDR and neither listens
 * (socket(7); net/ipv4/inet_connection_sock.c, inet_bind_conflict). The kept TCP socket has it all
 * the time, the program's only while the other one is bound, and while it binds or listens past
 * the kept one. To force a bind is right only where nothing but the kept socket is in its way: else
 * the refusal is the one that there would be without us.
 */
#include "shim/shared/keep_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "shim/shared/keep_ask.h"
#include "shim/shared/port_table.h"
#include "shim/shared/raw_syscall.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

enum in_the_way {
    WAY_NOT_KNOWN, /* the kernel does not say */
    WAY_KEPT,      /* the kept socket alone */
    WAY_OTHERS
};

static bool set_share(int fd, int on) {
    return raw_syscall6(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, RAW(&on), sizeof on, 0) == 0;
}

void keep_restore(int fd) { set_share(fd, 0); }

/* Not where it is on already: then it is the program's own. */
static void begin_share(const struct keep_socket *socket) {
    if (socket->may_share)
        return;
    if (socket->changed != NULL)
        *socket->changed = true;
    set_share(socket->fd, 1);
}

static void end_share(const struct keep_socket *socket) {
    if (socket->may_share)
        return;
    set_share(socket->fd, 0);
    if (socket->changed != NULL)
        *socket->changed = false;
}

/* Another process that has the socket may have changed them, and a bind to an IPv6 address sets
 * IPV6_V6ONLY for good (__inet6_bind); in a sandbox nobody can be asked. */
static struct keep_socket with_options(const struct keep_socket *socket) {
    struct keep_socket now = *socket;
    int on = 0;
    socklen_t length = sizeof on;
    if (raw_syscall6(SYS_getsockopt, socket->fd, SOL_SOCKET, SO_REUSEADDR, RAW(&on), RAW(&length),
                     0) == 0)
        now.may_share = on != 0;
    if (raw_syscall6(SYS_getsockopt, socket->fd, SOL_SOCKET, SO_REUSEPORT, RAW(&on), RAW(&length),
                     0) == 0)
        now.may_join = on != 0;
    if (socket->family == AF_INET6 && raw_syscall6(SYS_getsockopt, socket->fd, IPPROTO_IPV6,
                                                   IPV6_V6ONLY, RAW(&on), RAW(&length), 0) == 0)
        now.only_v6 = on != 0;
    return now;
}

bool keep_applies(const struct keep_socket *socket) {
    const struct pw_keep_area *area = keep_area();
    return area != NULL && socket->netns != 0 && socket->netns == area->netns;
}

static enum pw_keep_answer ask(const struct keep_socket *socket, const struct keep_place *place,
                               enum pw_keep_what what) {
    struct keep_question question = {.what = what,
                                     .port = place->port,
                                     .family = socket->family,
                                     .scope = place->scope,
                                     .device = socket->device,
                                     .is_udp = socket->is_udp,
                                     .only_v6 = socket->only_v6};
    memcpy(question.address, place->address, sizeof question.address);
    return keep_ask(&question);
}

static bool is_any(const uint8_t address[16]) {
    static const uint8_t any[16], any_v4[16] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address, any, 16) == 0 || memcmp(address, any_v4, 16) == 0;
}

bool keep_beside(const struct keep_socket *socket, const struct keep_place *place) {
    if (!keep_applies(socket)) {
        keep_count(PW_KEEP_NOT_KEPT);
        return false;
    }
    if (socket->is_udp && is_any(place->address)) {
        keep_count(PW_KEEP_ANY_UDP);
        return false;
    }
    const struct keep_socket now = with_options(socket);
    begin_share(&now);
    bool kept = ask(&now, place, PW_KEEP_TAKE) == PW_KEEP_YES;
    end_share(&now);
    if (!kept)
        keep_count(PW_KEEP_NOT_KEPT);
    return kept;
}

/* Rows of the kernel's table that the bind would meet. */
static enum in_the_way who_is_in_the_way(const struct keep_socket *socket,
                                         const struct keep_place *place) {
    const struct port_question question = {.cookie = socket->cookie,
                                           .netns = socket->netns,
                                           .address = place->address,
                                           .device = socket->device,
                                           .port = place->port,
                                           .type = socket->is_udp ? SOCK_DGRAM : SOCK_STREAM,
                                           .only_v6 = socket->only_v6};
    struct port_rows rows = {.count = 0};
    long memory = raw_syscall6(SYS_mmap, 0, PORT_TABLE_BYTES, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory < 0 && memory > -4096)
        return WAY_NOT_KNOWN;
    bool answered = port_table_ask(&question, (char *)memory, &rows);
    raw_syscall3(SYS_munmap, memory, PORT_TABLE_BYTES, 0);
    if (!answered)
        return WAY_NOT_KNOWN;
    uint32_t kept = keep_cookie(socket->is_udp, place->port);
    enum in_the_way way = WAY_KEPT;
    for (unsigned i = 0; i < rows.count; i++) {
        if ((uint32_t)rows.list[i].cookie == kept)
            continue;
        if (!rows.list[i].unsure)
            return WAY_OTHERS;
        way = WAY_NOT_KNOWN;
    }
    return way;
}

/* Past the kept socket. A UDP one has the option only while the keeper is asked for it. */
static long force(const struct keep_socket *socket, const struct keep_place *place,
                  long (*call)(const void *), const void *arguments, bool *handed) {
    if (socket->is_udp && ask(socket, place, PW_KEEP_SHARE) != PW_KEEP_YES)
        return call(arguments); /* it is gone, or its keeper */
    begin_share(socket);
    long result = call(arguments);
    int error = errno;
    if (result == 0) {
        *handed = true;
        ask(socket, place, PW_KEEP_CLOSE);
    } else if (socket->is_udp) {
        ask(socket, place, PW_KEEP_ALONE);
    }
    end_share(socket);
    errno = error;
    return result;
}

/* The answer is then the kernel's own, but what was kept is lost should it be a refusal. */
static long without_kept(const struct keep_socket *socket, const struct keep_place *place,
                         long (*call)(const void *), const void *arguments, bool *handed) {
    ask(socket, place, PW_KEEP_CLOSE);
    long result = call(arguments);
    *handed = *handed || result == 0;
    return result;
}

static long bind_refused(const struct keep_socket *socket, const struct keep_place *place,
                         long (*call)(const void *), const void *arguments, bool *handed) {
    if (!socket->is_udp && socket->may_share)
        return -1; /* the kept one refuses no such */
    switch (who_is_in_the_way(socket, place)) {
    case WAY_KEPT:
        return force(socket, place, call, arguments, handed);
    case WAY_OTHERS: /* that may share the port with this one by an option that the kept one lacks
                      */
        if (!socket->may_join && !(socket->is_udp && socket->may_share))
            return -1;
        return without_kept(socket, place, call, arguments, handed);
    default:
        return without_kept(socket, place, call, arguments, handed);
    }
}

/* The keeper closes a socket before it says so: whoever was refused by one that has gone since
 * knows it by what was said before. */
long keep_bind(const struct keep_socket *socket, const struct keep_place *place,
               long (*call)(const void *), const void *arguments, bool *handed) {
    const bool applies = place->port != 0 && keep_applies(socket);
    bool is_kept = applies && keep_cookie(socket->is_udp, place->port) != 0;
    long result = call(arguments);
    int error = errno;
    *handed = false;
    is_kept = is_kept || (applies && keep_cookie(socket->is_udp, place->port) != 0);
    if (!is_kept || (result != 0 && error != EADDRINUSE))
        return result;
    if (result == 0) {
        *handed = ask(socket, place, PW_KEEP_CLOSE) == PW_KEEP_YES;
        errno = error;
        return result;
    }
    const struct keep_socket now = with_options(socket);
    result = bind_refused(&now, place, call, arguments, handed);
    if (result < 0)
        errno = error;
    return result;
}

static long listen_past(const struct keep_socket *socket, long (*call)(const void *),
                        const void *arguments) {
    begin_share(socket);
    long result = call(arguments);
    int error = errno;
    end_share(socket);
    errno = error;
    return result;
}

/* So it seems, by an area that anybody may write into. Nobody else can have refused it. */
static long listen_unkept(const struct keep_socket *socket, bool alone, long (*call)(const void *),
                          const void *arguments) {
    long result = call(arguments);
    if (result == 0 || errno != EADDRINUSE || !alone || raw_syscalls_are_forbidden())
        return result;
    const struct keep_socket now = with_options(socket);
    return listen_past(&now, call, arguments);
}

long keep_listen(const struct keep_socket *socket, const struct keep_place *place, bool alone,
                 long (*call)(const void *), const void *arguments) {
    bool handed = false;
    if (place->port == 0 || !keep_applies(socket) || keep_cookie(false, place->port) == 0)
        return listen_unkept(socket, alone, call, arguments);
    const struct keep_socket now = with_options(socket);
    socket = &now;
    if (now.may_share)
        return call(arguments);
    if (alone && !raw_syscalls_are_forbidden())
        return listen_past(socket, call, arguments);
    long result = call(arguments);
    if (result == 0 || errno != EADDRINUSE)
        return result;
    switch (who_is_in_the_way(socket, place)) {
    case WAY_KEPT:
        return listen_past(socket, call, arguments);
    case WAY_OTHERS:
        if (!socket->may_join) {
            errno = EADDRINUSE;
            return -1;
        }
        return without_kept(socket, place, call, arguments, &handed);
    default:
        return without_kept(socket, place, call, arguments, &handed);
    }
}

/* IP_LOCAL_PORT_RANGE (ip(7)) as the socket has it, 0: none of its own. */
static uint32_t own_range(int fd) {
    uint32_t range = 0;
    socklen_t length = sizeof range;
    long result = raw_syscall6(SYS_getsockopt, fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, RAW(&range),
                               RAW(&length), 0);
    return result == 0 ? range : 0;
}

bool keep_make_room(const struct keep_socket *socket) {
    const struct keep_place any = {.port = 0, .scope = own_range(socket->fd)};
    int error = errno;
    bool made = keep_applies(socket) && ask(socket, &any, PW_KEEP_MAKE_ROOM) == PW_KEEP_YES;
    errno = error;
    return made;
}
