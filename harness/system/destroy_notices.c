/*
 * A notice does not say whether the socket left TIME_WAIT behind (its state is always CLOSE), and
 * the kernel sends none when a TIME_WAIT ends; so the kernel's table is asked for the same pair of
 * addresses right away. Questions go out many at a time: a system call each would slow a busy
 * machine.
 */
#include "harness/system/destroy_notices.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shim/shared/recorder.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

enum {
    NOTICE_BYTES = 1024, /* a notice with its tcp_info has about 400 */
    READ_AT_ONCE = 64,
    ASK_AT_ONCE = 64,
    BUFFER_BYTES = 64 << 20,
    ANSWER_SECONDS = 1
};

static void set_address(uint8_t out[16], const void *in, unsigned family) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (family == AF_INET6) {
        memcpy(out, in, 16);
        return;
    }
    memcpy(out, mapped, sizeof mapped);
    memcpy(out + sizeof mapped, in, 4);
}

static bool join_groups(int file) {
    static const int groups[] = {SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET_UDP_DESTROY,
                                 SKNLGRP_INET6_TCP_DESTROY, SKNLGRP_INET6_UDP_DESTROY};
    for (unsigned i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (setsockopt(file, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof groups[i]) !=
            0)
            return false;
    return true;
}

static int open_subscription(void) {
    int file = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    if (file < 0)
        return -1;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    int size = BUFFER_BYTES;
    /* The second is cut to net.core.rmem_max, which need not be much. */
    if (setsockopt(file, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        (void)setsockopt(file, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(file, (struct sockaddr *)&address, sizeof address) == 0 && join_groups(file))
        return file;
    close(file);
    return -1;
}

static int open_query(void) {
    int file = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (file < 0)
        return -1;
    int on = 1;
    struct timeval wait = {.tv_sec = ANSWER_SECONDS};
    (void)setsockopt(file, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    (void)setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    return file;
}

void destroy_notices_open(struct destroy_notices *notices, bool subscribe) {
    *notices = (struct destroy_notices){.file = subscribe ? open_subscription() : -1,
                                        .query = open_query()};
    socklen_t length = sizeof notices->netns;
    if (notices->query >= 0 &&
        getsockopt(notices->query, SOL_SOCKET, SO_NETNS_COOKIE, &notices->netns, &length) != 0)
        notices->netns = 0;
}

static unsigned protocol_of(const struct nlmsghdr *header) {
    struct nlattr *attribute;
    mnl_attr_for_each(attribute, header, sizeof(struct inet_diag_msg)) {
        if (mnl_attr_get_type(attribute) == INET_DIAG_PROTOCOL)
            return mnl_attr_get_u8(attribute);
    }
    return 0;
}

static bool decode(const struct nlmsghdr *header, struct destroy_notice *notice) {
    if (mnl_nlmsg_get_payload_len(header) < sizeof(struct inet_diag_msg))
        return false;
    const struct inet_diag_msg *message = mnl_nlmsg_get_payload(header);
    if (message->idiag_family != AF_INET && message->idiag_family != AF_INET6)
        return false;
    *notice = (struct destroy_notice){.cookie = (uint64_t)message->id.idiag_cookie[1] << 32 |
                                                message->id.idiag_cookie[0],
                                      .seen_ns = monotonic_ns(),
                                      .family = message->idiag_family,
                                      .protocol = (uint8_t)protocol_of(header),
                                      .state = message->idiag_state,
                                      .has_local = true,
                                      .local_port = ntohs(message->id.idiag_sport),
                                      .remote_port = ntohs(message->id.idiag_dport),
                                      .device = message->id.idiag_if};
    set_address(notice->local, message->id.idiag_src, notice->family);
    set_address(notice->remote, message->id.idiag_dst, notice->family);
    return true;
}

size_t destroy_notices_read(struct destroy_notices *notices, struct destroy_notice *into,
                            size_t room) {
    static _Thread_local _Alignas(struct nlmsghdr) char buffer[READ_AT_ONCE][NOTICE_BYTES];
    struct mmsghdr messages[READ_AT_ONCE] = {0};
    struct iovec parts[READ_AT_ONCE];
    unsigned most = room < READ_AT_ONCE ? (unsigned)room : READ_AT_ONCE;
    if (notices->file < 0 || most == 0)
        return 0;
    for (unsigned i = 0; i < most; i++) {
        parts[i] = (struct iovec){.iov_base = buffer[i], .iov_len = NOTICE_BYTES};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    int got;
    while ((got = recvmmsg(notices->file, messages, most, MSG_DONTWAIT, NULL)) < 0 &&
           (errno == ENOBUFS || errno == EINTR))
        if (errno == ENOBUFS)
            notices->overflows++;
    size_t filled = 0;
    for (int i = 0; i < got; i++) {
        const struct nlmsghdr *header = (const struct nlmsghdr *)buffer[i];
        if (mnl_nlmsg_ok(header, (int)messages[i].msg_len) && decode(header, &into[filled]))
            filled++;
    }
    return filled;
}

struct question {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
};

static void put_question(struct question *question, const struct destroy_notice *notice,
                         uint32_t number) {
    size_t skipped = notice->family == AF_INET ? 12 : 0;
    *question = (struct question){
        .header = {.nlmsg_len = sizeof *question,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST,
                   .nlmsg_seq = number},
        .request = {.sdiag_family = notice->family,
                    .sdiag_protocol = IPPROTO_TCP,
                    .idiag_states = UINT32_MAX,
                    .id = {.idiag_sport = htons(notice->local_port),
                           .idiag_dport = htons(notice->remote_port),
                           .idiag_if = notice->device,
                           .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}}};
    memcpy(question->request.id.idiag_src, notice->local + skipped, 16 - skipped);
    memcpy(question->request.id.idiag_dst, notice->remote + skipped, 16 - skipped);
}

/* A TIME_WAIT socket reports FIN_WAIT_2 while the other side has not closed yet; a socket with an
 * owner in that state would have a user or an inode, so timer 3 is what marks it. */
static bool tells_time_wait(const struct nlmsghdr *answer, const struct destroy_notice *notice) {
    enum { TIMER_OF_TIME_WAIT = 3 };
    if (answer->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        mnl_nlmsg_get_payload_len(answer) < sizeof(struct inet_diag_msg))
        return false;
    const struct inet_diag_msg *message = mnl_nlmsg_get_payload(answer);
    return message->idiag_timer == TIMER_OF_TIME_WAIT &&
           ntohs(message->id.idiag_sport) == notice->local_port &&
           ntohs(message->id.idiag_dport) == notice->remote_port;
}

/* Each question gets one answer, a socket or an error, in order. */
static void ask(int query, struct destroy_notice *const *asked, unsigned count) {
    struct question questions[ASK_AT_ONCE] = {0};
    _Alignas(struct nlmsghdr) char buffer[16 * 1024];
    for (unsigned i = 0; i < count; i++)
        put_question(&questions[i], asked[i], i);
    if (send(query, questions, count * sizeof questions[0], 0) < 0)
        return;
    for (unsigned answered = 0; answered < count;) {
        ssize_t got = recv(query, buffer, sizeof buffer, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        int length = (int)got;
        const struct nlmsghdr *answer = (const struct nlmsghdr *)buffer;
        for (; mnl_nlmsg_ok(answer, length); answer = mnl_nlmsg_next(answer, &length)) {
            answered++;
            if (answer->nlmsg_seq < count)
                asked[answer->nlmsg_seq]->time_wait =
                    tells_time_wait(answer, asked[answer->nlmsg_seq]);
        }
    }
}

void destroy_notices_ask(struct destroy_notices *notices, struct destroy_notice *list,
                         size_t count) {
    struct destroy_notice *asked[ASK_AT_ONCE];
    unsigned waiting = 0;
    if (notices->query < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        if (list[i].protocol == IPPROTO_TCP && list[i].remote_port != 0)
            asked[waiting++] = &list[i];
        if (waiting == ASK_AT_ONCE || (i + 1 == count && waiting > 0)) {
            ask(notices->query, asked, waiting);
            waiting = 0;
        }
    }
}

void destroy_notices_close(struct destroy_notices *notices) {
    if (notices->file >= 0)
        close(notices->file);
    if (notices->query >= 0)
        close(notices->query);
}
