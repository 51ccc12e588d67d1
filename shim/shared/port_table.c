/*
 * A dump of sock_diag(7). The kernel leaves other ports out by the program that the request has: it
 * does not hold sockets that are only bound against the port in the request (Linux 6.18), and a
 * table of some thousand would take it milliseconds.
 */
#include "shim/shared/port_table.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "shim/shared/raw_syscall.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

enum {
    STATE_TIME_WAIT = 6,
    STATE_LISTEN = 10,
    ALL_STATES = 0x3fff /* those of tcp_states.h, and bit 13: bound and not connected (6.8) */
};

struct diag_request {
    struct nlmsghdr header;
    struct inet_diag_req_v2 body;
    /* For dumps: */
    struct rtattr filter;
    struct inet_diag_bc_op has_port[2]; /* the second one's `no` is the port */
};

enum {
    DUMP_BYTES = sizeof(struct diag_request),
    ONE_BYTES = offsetof(struct diag_request, filter)
};

bool port_address_is_any(const uint8_t address[16]) {
    static const uint8_t any[16];
    static const uint8_t any_v4[16] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address, any, 16) == 0 || memcmp(address, any_v4, 16) == 0;
}

bool port_address_is_v4(const uint8_t address[16]) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address, mapped, sizeof mapped) == 0;
}

bool port_addresses_meet(const uint8_t one[16], bool one_only_v6, const uint8_t other[16],
                         bool other_only_v6) {
    if (port_address_is_v4(one) !=
        port_address_is_v4(other)) /* only :: meets both families: a bind to ::1 sets V6ONLY */
        return port_address_is_v4(one) ? port_address_is_any(other) && !other_only_v6
                                       : port_address_is_any(one) && !one_only_v6;
    return port_address_is_any(one) || port_address_is_any(other) || memcmp(one, other, 16) == 0;
}

/* A connection that was accepted at :: has kept that from its listener, and is in the way of
 * 0.0.0.0 (inet_rcv_saddr_equal); of a connection the kernel does not say it. */
static bool may_meet(const struct port_row *row, const struct port_question *question) {
    return row->unsure && port_address_is_v4(question->address) &&
           port_address_is_any(question->address);
}

static bool meets(const struct port_row *row, const struct port_question *question) {
    if (row->device != 0 && question->device != 0 && row->device != question->device)
        return false;
    return port_addresses_meet(row->address, row->only_v6, question->address, question->only_v6);
}

/* Listeners and bound sockets say more than connections, and these more than TIME_WAIT. */
static unsigned weight(const struct port_row *row) {
    if (row->state == STATE_TIME_WAIT)
        return 0;
    return row->state == STATE_LISTEN || row->state > STATE_LISTEN ? 2 : 1;
}

static void keep(struct port_rows *rows, const struct port_row *row) {
    unsigned place = rows->count;
    if (place == PORT_ROWS_MAX) {
        place = 0;
        for (unsigned i = 1; i < PORT_ROWS_MAX; i++)
            if (weight(&rows->list[i]) < weight(&rows->list[place]))
                place = i;
        if (weight(&rows->list[place]) >= weight(row))
            return;
        rows->list[place] = *row;
        return;
    }
    rows->list[rows->count++] = *row;
}

/* INET_DIAG_SKV6ONLY, which the kernel adds to what it says of an IPv6 socket, unless that is
 * connected; -1: it does not. */
static int read_only_v6(const struct nlmsghdr *message) {
    size_t at = NLMSG_LENGTH(sizeof(struct inet_diag_msg));
    const char *bytes = (const char *)message;
    while (at + sizeof(struct rtattr) <= message->nlmsg_len) {
        const struct rtattr *attribute = (const struct rtattr *)(const void *)(bytes + at);
        if (attribute->rta_len < sizeof *attribute || attribute->rta_len > message->nlmsg_len - at)
            return -1;
        if (attribute->rta_type == INET_DIAG_SKV6ONLY && attribute->rta_len > sizeof *attribute)
            return *(const uint8_t *)RTA_DATA(attribute) != 0;
        at += RTA_ALIGN(attribute->rta_len);
    }
    return -1;
}

static void take_row(struct port_rows *rows, const struct nlmsghdr *header,
                     const struct port_question *question) {
    const struct inet_diag_msg *message = NLMSG_DATA(header);
    struct port_row row = {.family = message->idiag_family,
                           .inode = message->idiag_inode,
                           .uid = message->idiag_uid,
                           .device = message->id.idiag_if,
                           .state = message->idiag_state,
                           .cookie = message->id.idiag_cookie[0] |
                                     (uint64_t)message->id.idiag_cookie[1] << 32};
    if (message->idiag_family == AF_INET6) {
        memcpy(row.address, message->id.idiag_src, 16);
    } else {
        row.address[10] = row.address[11] = 0xff;
        memcpy(row.address + 12, message->id.idiag_src, 4);
    }
    int only_v6 = message->idiag_family == AF_INET6 ? read_only_v6(header) : 0;
    row.only_v6 = only_v6 > 0;
    row.unsure = only_v6 < 0 && !port_address_is_v4(row.address);
    if (ntohs(message->id.idiag_sport) != question->port || row.cookie == question->cookie)
        return;
    if (meets(&row, question))
        row.unsure = false;
    else if (!may_meet(&row, question))
        return;
    keep(rows, &row);
}

/* Sends one request, for a dump or for one socket, and reads the answer into `reply`. false where
 * the kernel does not answer, or knows no such socket. */
static bool ask(const struct port_question *question, long netlink, unsigned family, bool dump,
                char *reply, struct port_rows *rows) {
    const bool is_udp = question->type == SOCK_DGRAM;
    struct diag_request request = {
        .header = {.nlmsg_len = dump ? DUMP_BYTES : ONE_BYTES,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | (dump ? NLM_F_DUMP : 0))},
        .body = {.sdiag_family = (uint8_t)family,
                 .sdiag_protocol = (uint8_t)(is_udp ? IPPROTO_UDP : IPPROTO_TCP),
                 .idiag_states = ALL_STATES,
                 .id = {.idiag_sport = htons(question->port),
                        .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
        .filter = {RTA_LENGTH(sizeof request.has_port), INET_DIAG_REQ_BYTECODE},
        /* To the end where it is the port, else beyond it: the socket is left out. */
        .has_port = {{INET_DIAG_BC_S_EQ, sizeof request.has_port, sizeof request.has_port + 4},
                     {.no = question->port}}};
    if (!dump && family == AF_INET)
        memcpy(request.body.id.idiag_src, question->address + 12, 4);
    else if (!dump)
        memcpy(request.body.id.idiag_src, question->address, 16);
    if (raw_syscall6(SYS_sendto, netlink, RAW(&request), request.header.nlmsg_len, 0, 0, 0) < 0)
        return false;
    for (;;) {
        long got = raw_syscall6(SYS_recvfrom, netlink, RAW(reply), PORT_TABLE_BYTES, 0, 0, 0);
        if (got == -EINTR)
            continue;
        if (got <= 0)
            return false;
        size_t left = (size_t)got;
        const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)reply;
        for (; left >= sizeof *message && message->nlmsg_len >= sizeof *message &&
               message->nlmsg_len <= left;) {
            size_t step = NLMSG_ALIGN(message->nlmsg_len);
            if (message->nlmsg_type == NLMSG_DONE)
                return true;
            if (message->nlmsg_type == NLMSG_ERROR)
                return false;
            if (message->nlmsg_len >= NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
                take_row(rows, message, question);
            if (!dump)
                return true;
            if (step >= left)
                break;
            left -= step;
            message = (const struct nlmsghdr *)(const void *)((const char *)message + step);
        }
    }
}

/* Whoever would answer at the address is found at once; anybody else only by going through the
 * whole table, which takes the kernel a millisecond or two. */
static bool ask_all(const struct port_question *question, long netlink, char *reply,
                    struct port_rows *rows) {
    unsigned family = port_address_is_v4(question->address) ? AF_INET : AF_INET6;
    if (ask(question, netlink, family, false, reply, rows) && rows->count > 0)
        return true;
    return ask(question, netlink, AF_INET, true, reply, rows) &&
           ask(question, netlink, AF_INET6, true, reply, rows);
}

/* The thread may have gone to another network namespace since the socket was made. */
static bool is_elsewhere(long netlink, uint64_t netns) {
    uint64_t own = 0;
    socklen_t length = sizeof own;
    if (netns == 0 || raw_syscall6(SYS_getsockopt, netlink, SOL_SOCKET, SO_NETNS_COOKIE, RAW(&own),
                                   RAW(&length), 0) < 0)
        return false;
    return own != 0 && own != netns;
}

bool port_table_ask(const struct port_question *question, char *reply, struct port_rows *rows) {
    long netlink = raw_syscall3(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0)
        return false;
    bool answered =
        !is_elsewhere(netlink, question->netns) && ask_all(question, netlink, reply, rows);
    raw_syscall3(SYS_close, netlink, 0, 0);
    return answered;
}

enum port_in_the_way port_table_look(const struct port_question *question, uint32_t beside,
                                     char *reply) {
    struct port_rows rows = {.count = 0};
    enum port_in_the_way way = PORT_WAY_FREE;
    if (!port_table_ask(question, reply, &rows))
        return PORT_WAY_NOT_KNOWN;
    for (unsigned i = 0; i < rows.count; i++) {
        uint32_t cookie = (uint32_t)rows.list[i].cookie;
        if (cookie == beside || cookie == (uint32_t)question->cookie)
            continue;
        if (!rows.list[i].unsure)
            return PORT_WAY_OTHERS;
        way = PORT_WAY_NOT_KNOWN;
    }
    return way;
}
