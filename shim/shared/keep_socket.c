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

static bool set_share(int fd, int on) {
    return raw_syscall6(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, RAW(&on), sizeof on, 0) == 0;
}

void keep_restore(int fd) { set_share(fd, 0); }

void keep_share(int fd) { set_share(fd, 1); }

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

/* A link-local address of IPv6 binds its socket to the interface that stands with it, whatever it
 * was bound to before (inet6_bind; RFC 4007). */
static uint32_t device_at(const struct keep_socket *socket, const struct keep_place *place) {
    const uint8_t *address = place->address;
    bool is_link_local = (address[0] == 0xfe && (address[1] & 0xc0) == 0x80) ||
                         (address[0] == 0xff && (address[1] & 0x0f) == 2);
    return is_link_local && place->scope != 0 ? place->scope : socket->device;
}

static enum pw_keep_answer ask(const struct keep_socket *socket, const struct keep_place *place,
                               enum pw_keep_what what) {
    struct keep_question question = {.what = what,
                                     .port = place->port,
                                     .family = socket->family,
                                     .scope = place->scope,
                                     .device = device_at(socket, place),
                                     .is_udp = socket->is_udp,
                                     .only_v6 = socket->only_v6,
                                     .may_join = socket->may_join && socket->uid == keep_uid()};
    if (what == PW_KEEP_LOOK)
        question.scope = (uint32_t)socket->cookie;
    memcpy(question.address, place->address, sizeof question.address);
    return keep_ask(&question);
}

bool keep_beside(const struct keep_socket *socket, const struct keep_place *place) {
    if (!keep_applies(socket)) {
        keep_count(PW_KEEP_NOT_KEPT);
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

/* By the kernel's table, in the place of a keeper that does not answer. */
static enum port_in_the_way look(const struct keep_socket *socket, const struct keep_place *place) {
    const struct port_question question = {.cookie = socket->cookie,
                                           .netns = socket->netns,
                                           .address = place->address,
                                           .device = device_at(socket, place),
                                           .port = place->port,
                                           .type = socket->is_udp ? SOCK_DGRAM : SOCK_STREAM,
                                           .only_v6 = socket->only_v6};
    long memory = raw_syscall6(SYS_mmap, 0, PORT_TABLE_BYTES, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory < 0 && memory > -4096)
        return PORT_WAY_NOT_KNOWN;
    enum port_in_the_way way =
        port_table_look(&question, keep_cookie(socket->is_udp, place->port), (char *)memory);
    raw_syscall3(SYS_munmap, memory, PORT_TABLE_BYTES, 0);
    return way;
}

/* By the kernel's table. The keeper looks, for a descriptor that was open here meanwhile would go
 * to every child that another thread forks. */
static enum port_in_the_way who_is_in_the_way(const struct keep_socket *socket,
                                              const struct keep_place *place) {
    switch (ask(socket, place, PW_KEEP_LOOK)) {
    case PW_KEEP_YES:
        return PORT_WAY_FREE;
    case PW_KEEP_OTHERS:
        return PORT_WAY_OTHERS;
    case PW_KEEP_UNHEARD:
        return look(socket, place);
    default:
        return PORT_WAY_NOT_KNOWN;
    }
}

static void close_kept(const struct keep_socket *socket, const struct keep_place *place,
                       bool *handed) {
    if (ask(socket, place, PW_KEEP_CLOSE) != PW_KEEP_YES)
        return; /* it is kept at an address that does not meet this one, or the keeper is silent */
    *handed = true;
    keep_count(PW_KEEP_HANDED);
}

/* Past the kept socket. A UDP one has the option only while the keeper is asked for it. */
static long force(const struct keep_socket *socket, const struct keep_place *place,
                  long (*call)(const void *), const void *arguments, bool *handed) {
    if (socket->is_udp && ask(socket, place, PW_KEEP_SHARE) != PW_KEEP_YES)
        return call(arguments); /* it is gone, or its keeper */
    begin_share(socket);
    long result = call(arguments);
    int error = errno;
    *handed = result == 0;
    if (result == 0)
        close_kept(socket, place, handed);
    else if (socket->is_udp)
        ask(socket, place, PW_KEEP_ALONE);
    end_share(socket);
    errno = error;
    return result;
}

/* Others are there as well, which may share the port with this one by an option that the kept one
 * lacks: it has both for the moment, so that the answer is that of the others. */
static long share_with_others(const struct keep_socket *socket, const struct keep_place *place,
                              long (*call)(const void *), const void *arguments, bool is_bind,
                              bool *handed) {
    if (ask(socket, place, PW_KEEP_SHARE) != PW_KEEP_YES)
        return call(arguments);
    long result = call(arguments);
    int error = errno;
    if (result == 0 && is_bind)
        close_kept(socket, place, handed);
    else
        ask(socket, place, PW_KEEP_ALONE);
    errno = error;
    return result;
}

/* The answer is then the kernel's own, but what was kept is lost should it be a refusal. */
static long without_kept(const struct keep_socket *socket, const struct keep_place *place,
                         long (*call)(const void *), const void *arguments, bool *handed) {
    bool closed = ask(socket, place, PW_KEEP_CLOSE) == PW_KEEP_YES;
    long result = call(arguments);
    *handed = *handed || result == 0;
    if (closed)
        keep_count(result == 0 ? PW_KEEP_HANDED : PW_KEEP_GIVEN_UP);
    return result;
}

/* Whether an option can take the kept socket out of the way for a moment, and nobody else. Sockets
 * of two users share nothing by SO_REUSEPORT, and beside a UDP socket that has it the kernel looks
 * at no others. */
static bool may_share_with_kept(const struct keep_socket *socket) {
    return socket->is_udp ? socket->may_share : socket->uid == keep_uid();
}

static long bind_refused(const struct keep_socket *socket, const struct keep_place *place,
                         long (*call)(const void *), const void *arguments, bool *handed) {
    if (!socket->is_udp && socket->may_share)
        return -1;                    /* the kept one refuses no such */
    if (raw_syscalls_are_forbidden()) /* the address may not be known */
        return without_kept(socket, place, call, arguments, handed);
    switch (who_is_in_the_way(socket, place)) {
    case PORT_WAY_FREE:
        return force(socket, place, call, arguments, handed);
    case PORT_WAY_OTHERS:
        if (!socket->may_join && !(socket->is_udp && socket->may_share))
            return -1;
        if (!may_share_with_kept(socket))
            return without_kept(socket, place, call, arguments, handed);
        return share_with_others(socket, place, call, arguments, true, handed);
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
        close_kept(socket, place, handed);
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
    if (raw_syscalls_are_forbidden())
        return without_kept(socket, place, call, arguments, &handed);
    switch (who_is_in_the_way(socket, place)) {
    case PORT_WAY_FREE:
        return listen_past(socket, call, arguments);
    case PORT_WAY_OTHERS:
        if (!socket->may_join) {
            errno = EADDRINUSE;
            return -1;
        }
        if (!may_share_with_kept(socket))
            return without_kept(socket, place, call, arguments, &handed);
        return share_with_others(socket, place, call, arguments, false, &handed);
    default:
        return without_kept(socket, place, call, arguments, &handed);
    }
}

bool keep_release(const struct keep_socket *socket, const struct keep_place *place) {
    return keep_applies(socket) && keep_cookie(socket->is_udp, place->port) != 0 &&
           ask(socket, place, PW_KEEP_LOOK) == PW_KEEP_YES &&
           ask(socket, place, PW_KEEP_CLOSE) == PW_KEEP_YES;
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
