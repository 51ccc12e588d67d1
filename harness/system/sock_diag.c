/* `ss` and /proc/net/tcp leave out TCP sockets that are bound and do not listen, and those hold
 * their ports like any other; sock_diag lists them when asked for state 13. */
#include "harness/system/sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"

enum { BOUND_ONLY = 13, ANSWER_BYTES = 1 << 16 };

struct question {
    struct socket_table *table;         /* that the rows go into; NULL: one socket is looked for */
    const struct socket_wanted *wanted; /* ... this one, NULL: the one with the cookie */
    struct socket_found *into;
    uint64_t cookie;
    bool found;
    uint16_t protocol;
};

static uint64_t cookie_of(const struct inet_diag_msg *message) {
    return message->id.idiag_cookie[0] | (uint64_t)message->id.idiag_cookie[1] << 32;
}

static struct socket_row row_of(const struct nlmsghdr *header, uint16_t protocol) {
    const struct inet_diag_msg *message = mnl_nlmsg_get_payload(header);
    struct socket_row row = {.inode = message->idiag_inode,
                             .cookie = cookie_of(message),
                             .listens = message->idiag_state == TCP_LISTEN};
    row.endpoint.protocol = (uint8_t)protocol;
    row.endpoint.port = ntohs(message->id.idiag_sport);
    endpoint_set_address(&row.endpoint, message->idiag_family, message->id.idiag_src);
    struct nlattr *attribute;
    mnl_attr_for_each(attribute, header, sizeof *message) {
        if (mnl_attr_get_type(attribute) == INET_DIAG_SKV6ONLY && message->idiag_family == AF_INET6)
            row.endpoint.v6only = mnl_attr_get_u8(attribute) != 0;
    }
    return row;
}

/* The rest of the answer need not be read. */
static int take_wanted(const struct nlmsghdr *header, struct question *question) {
    const struct inet_diag_msg *message = mnl_nlmsg_get_payload(header);
    const struct socket_wanted *wanted = question->wanted;
    struct endpoint local;
    struct endpoint peer;
    if (wanted->inode != 0 && message->idiag_inode != wanted->inode)
        return MNL_CB_OK;
    endpoint_set_address(&local, message->idiag_family, message->id.idiag_src);
    if (wanted->local != NULL && memcmp(wanted->local, local.address, sizeof local.address) != 0)
        return MNL_CB_OK;
    endpoint_set_address(&peer, message->idiag_family, message->id.idiag_dst);
    question->found = true;
    *question->into = (struct socket_found){.row = row_of(header, question->protocol),
                                            .peer_port = ntohs(message->id.idiag_dport),
                                            .state = message->idiag_state,
                                            .device = message->id.idiag_if};
    memcpy(question->into->peer, peer.address, sizeof question->into->peer);
    return MNL_CB_STOP;
}

static int take_row(const struct nlmsghdr *header, void *data) {
    struct question *question = data;
    struct socket_table *table = question->table;
    if (mnl_nlmsg_get_payload_len(header) < sizeof(struct inet_diag_msg))
        return MNL_CB_OK;
    const struct inet_diag_msg *message = mnl_nlmsg_get_payload(header);
    if (question->wanted != NULL)
        return take_wanted(header, question);
    if (table == NULL) {
        question->found = question->found || cookie_of(message) == question->cookie;
        return MNL_CB_OK;
    }
    if (message->id.idiag_sport == 0 || message->id.idiag_dport != 0)
        return MNL_CB_OK;
    table->rows = memory_grow(table->rows, &table->room, table->count + 1, sizeof *table->rows);
    table->rows[table->count++] = row_of(header, question->protocol);
    return MNL_CB_OK;
}

static int receive(struct mnl_socket *netlink, unsigned sequence, struct question *question) {
    _Alignas(struct nlmsghdr) char buffer[ANSWER_BYTES]; /* more than one thread asks */
    for (;;) {
        ssize_t got = mnl_socket_recvfrom(netlink, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        int more = mnl_cb_run(buffer, (size_t)got, sequence, mnl_socket_get_portid(netlink),
                              take_row, question);
        if (more < 0)
            return errno;
        if (more == MNL_CB_STOP)
            return 0;
    }
}

static int dump(struct mnl_socket *netlink, struct question *question, int family,
                uint32_t states) {
    static _Atomic unsigned sequences;
    unsigned sequence = ++sequences;
    const struct socket_wanted *wanted = question->wanted;
    _Alignas(struct nlmsghdr) char buffer[MNL_NLMSG_HDRLEN + sizeof(struct inet_diag_req_v2) + 16];
    struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
    header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    header->nlmsg_seq = sequence;
    struct inet_diag_req_v2 *request = mnl_nlmsg_put_extra_header(header, sizeof *request);
    request->sdiag_family = (uint8_t)family;
    request->sdiag_protocol = (uint8_t)question->protocol;
    request->idiag_states = states;
    if (question->protocol > UINT8_MAX)
        mnl_attr_put_u32(header, INET_DIAG_REQ_PROTOCOL, question->protocol);
    if (wanted != NULL) {
        request->id.idiag_sport = htons(wanted->port);
        request->id.idiag_dport = htons(wanted->peer_port);
    }
    if (mnl_socket_sendto(netlink, header, header->nlmsg_len) < 0)
        return errno;
    return receive(netlink, sequence, question);
}

int socket_table_read(struct socket_table *table) {
    static const struct {
        uint8_t protocol;
        uint32_t states;
        bool optional;
    } wanted[] = {
        {IPPROTO_TCP, 1u << TCP_LISTEN | 1u << BOUND_ONLY, false},
        {IPPROTO_UDP, UINT32_MAX, false},
        {IPPROTO_SCTP, UINT32_MAX, true},
    };
    static const int families[] = {AF_INET, AF_INET6};
    struct mnl_socket *netlink = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
    if (netlink == NULL)
        return errno;
    int error = mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) < 0 ? errno : 0;
    table->count = 0;
    for (unsigned i = 0; error == 0 && i < sizeof wanted / sizeof wanted[0]; i++) {
        struct question question = {.table = table, .protocol = wanted[i].protocol};
        for (unsigned j = 0; error == 0 && j < 2; j++)
            error = dump(netlink, &question, families[j], wanted[i].states);
        if (wanted[i].optional) /* a kernel without SCTP has no sockets of it */
            error = 0;
    }
    mnl_socket_close(netlink);
    return error;
}

int socket_table_has(uint8_t protocol, uint64_t cookie) {
    struct question question = {.cookie = cookie, .protocol = protocol};
    struct mnl_socket *netlink = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
    if (netlink == NULL)
        return -1;
    int error = mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) < 0 ? errno : 0;
    if (error == 0)
        error = dump(netlink, &question, AF_INET, UINT32_MAX);
    if (error == 0 && !question.found)
        error = dump(netlink, &question, AF_INET6, UINT32_MAX);
    mnl_socket_close(netlink);
    return error != 0 ? -1 : question.found;
}

int socket_table_find(const struct socket_wanted *wanted, struct socket_found *found) {
    struct question question = {.wanted = wanted, .into = found, .protocol = wanted->protocol};
    struct mnl_socket *netlink = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
    if (netlink == NULL)
        return -1;
    int error = mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) < 0 ? errno : 0;
    if (error == 0)
        error = dump(netlink, &question, wanted->family, wanted->states);
    mnl_socket_close(netlink);
    return error != 0 ? -1 : question.found;
}

void socket_table_free(struct socket_table *table) {
    free(table->rows);
    *table = (struct socket_table){0};
}
