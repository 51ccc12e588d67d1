/*
 * A socket shows its inode and its kind by the links in /proc/PID/fd (the extended attribute is the
 * name of the kernel's struct proto), and by the inode it is found in what sock_diag(7) answers.
 * There a socket without a port is not listed at all. The program may change its arguments while
 * the kernel reads them: that is its own affair, a record then says what stood there before.
 */
#include "harness/capture/notify_table.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "harness/capture/notify_socket.h"
#include "harness/system/process_facts.h"
#include "shim/shared/recorder.h"

enum { TRIES_MOST = 14, NAME_BYTES = 32 }; /* twice the time each: a second in all */

#define FIRST_NS UINT64_C(60000)
#define LATER_NS (UINT64_C(1000) * 1000 * 1000)
#define MADE_UP_COOKIE (UINT64_C(3) << 62) /* the shim's have a process number there */

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

bool notify_table_may_look(pid_t pid) {
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0)
        close(file);
    return file >= 0;
}

/* Inode of a socket, 0 with errno where there is none or it may not be looked at. */
static uint64_t inode_of(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0)
        return 0;
    errno = ENOENT;
    return S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

/* A thread that has ended may have left the socket to its process. */
static bool has_socket(const struct outside_event *event, uint64_t inode) {
    char path[48];
    snprintf(path, sizeof path, "/proc/%u/fd/%d", event->thread, event->descriptor);
    if (inode_of(path) == inode)
        return true;
    snprintf(path, sizeof path, "/proc/%u/fd/%d", event->pid, event->descriptor);
    return inode_of(path) == inode;
}

/* false: it is no socket of IP, of which nobody wants to know. */
static bool find_kind(const char *path, struct outside_event *event) {
    static const struct {
        char name[12];
        uint16_t protocol;
        uint8_t family;
        uint8_t type;
    } kinds[] = {{"TCP", IPPROTO_TCP, AF_INET, SOCK_STREAM},
                 {"TCPv6", IPPROTO_TCP, AF_INET6, SOCK_STREAM},
                 {"UDP", IPPROTO_UDP, AF_INET, SOCK_DGRAM},
                 {"UDPv6", IPPROTO_UDP, AF_INET6, SOCK_DGRAM},
                 {"MPTCP", IPPROTO_MPTCP, AF_INET, SOCK_STREAM},
                 {"MPTCPv6", IPPROTO_MPTCP, AF_INET6, SOCK_STREAM}};
    char name[NAME_BYTES] = "";
    ssize_t length = getxattr(path, "system.sockprotoname", name, sizeof name - 1);
    if (length < 0)
        recorder_lost(PW_LOST_CALLS, 1);
    for (size_t i = 0; length > 0 && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(name, kinds[i].name) != 0)
            continue;
        event->protocol = kinds[i].protocol;
        event->family = kinds[i].family;
        event->type = kinds[i].type;
        return true;
    }
    return false;
}

static struct socket_found *known(struct notify_table *table, uint64_t inode) {
    return &table->known[inode % NOTIFY_KNOWN_MOST];
}

static void fill(struct outside_event *event, const struct socket_found *found) {
    const struct endpoint *local = &found->row.endpoint;
    event->cookie = found->row.cookie;
    event->device = found->device;
    event->local_port = local->port;
    memcpy(event->local, local->address, sizeof event->local);
    if (local->v6only)
        event->flags |= PW_FLAG_V6ONLY;
}

static void fill_peer(struct outside_event *event, const struct socket_found *found) {
    event->peer_port = found->peer_port;
    memcpy(event->peer, found->peer, sizeof event->peer);
}

static bool find(struct notify_table *table, const struct socket_wanted *wanted,
                 struct socket_found *found) {
    if (socket_table_find(wanted, found) != 1 || found->row.endpoint.port == 0)
        return false;
    *known(table, wanted->inode) = *found;
    return true;
}

/* TCP has a table for each kind of state, of which that of the connected is by far the largest. */
static uint32_t states_of(const struct outside_event *event) {
    if (event->protocol == IPPROTO_UDP || event->kind == OUTSIDE_CONNECT)
        return SOCKET_STATES_ALL;
    return event->kind == OUTSIDE_LISTEN ? UINT32_C(1) << TCP_LISTEN : SOCKET_STATES_BOUND;
}

static bool has_come_about(const struct outside_event *event, const struct socket_found *found) {
    if (event->kind == OUTSIDE_LISTEN)
        return found->row.listens;
    return event->kind != OUTSIDE_CONNECT || found->peer_port == event->peer_port;
}

/* Looks once; true, with the event filled in, where the call has done what it was to do. */
static bool look(struct notify_table *table, struct notify_question *asked) {
    struct outside_event *event = &asked->event;
    struct socket_found found;
    const struct socket_wanted wanted = {
        .inode = asked->inode,
        .states = states_of(event),
        .protocol = event->protocol,
        .port = event->kind == OUTSIDE_BIND ? event->requested_port : event->local_port,
        .peer_port = event->kind == OUTSIDE_CONNECT ? event->peer_port : 0,
        .family = event->family};
    if (!find(table, &wanted, &found) || !has_come_about(event, &found))
        return false;
    event->end_ns = monotonic_ns();
    fill(event, &found);
    return true;
}

static void forget(struct notify_table *table, struct notify_question *asked) {
    asked->inode = 0;
    table->used--;
}

static void report(struct notify_table *table, struct notify_question *asked) {
    table->take(table->with, &asked->event);
    forget(table, asked);
}

static void report_refused(struct notify_table *table, struct notify_question *asked) {
    struct outside_event *event = &asked->event;
    event->error = OUTSIDE_ERROR_NOT_KNOWN;
    event->end_ns = monotonic_ns();
    if (event->cookie == 0)
        event->cookie = MADE_UP_COOKIE | ++table->made_up;
    if (event->kind == OUTSIDE_BIND)
        bind_error_infer(&table->rules, event);
    report(table, asked);
}

/* Before Linux 6.8 it may well be bound: it is seen once it listens. */
static bool may_be_hidden(const struct notify_table *table, const struct outside_event *event) {
    return event->kind == OUTSIDE_BIND && event->protocol != IPPROTO_UDP &&
           (!table->shows_bound || event->protocol == IPPROTO_MPTCP);
}

static void count_lost(struct notify_table *table, struct notify_question *asked) {
    recorder_lost(PW_LOST_CALLS, 1);
    forget(table, asked);
}

static bool is_free(const void *with, uint64_t cookie) {
    const struct notify_table *table = with;
    for (size_t i = 0; i < NOTIFY_KNOWN_MOST; i++)
        if (table->known[i].row.cookie == cookie)
            return false;
    return true;
}

static void report_ended(struct notify_table *table, struct notify_question *asked,
                         const struct destroy_notice *notice) {
    struct outside_event *event = &asked->event;
    event->end_ns = notice->seen_ns;
    event->cookie = notice->cookie;
    event->device = notice->device;
    event->local_port = notice->local_port;
    memcpy(event->local, notice->local, sizeof event->local);
    report(table, asked);
    notify_ends_report(notice, table->netns, table->take, table->with);
}

/* The socket is closed. No notice of one that had the number says that it never had it. MPTCP has
 * none. */
static void settle_gone(struct notify_table *table, struct notify_question *asked) {
    const struct outside_event *event = &asked->event;
    struct destroy_notice notice;
    enum notify_end end = NOTIFY_END_UNCLEAR;
    uint64_t now = monotonic_ns();
    if (asked->gone_ns == 0)
        asked->gone_ns = now;
    notify_ends_read(&table->ends);
    /* Without a number the notice of more than one may come. */
    bool waits = now - asked->gone_ns < NOTIFY_END_NS;
    bool is_by_number = event->kind == OUTSIDE_BIND && event->requested_port != 0;
    if (waits && !is_by_number && event->protocol != IPPROTO_MPTCP)
        end = NOTIFY_END_NONE;
    else if (event->kind != OUTSIDE_LISTEN && event->protocol != IPPROTO_MPTCP)
        end = notify_ends_find(&table->ends, event, is_free, table, &notice);
    if (end == NOTIFY_END_ONE)
        report_ended(table, asked, &notice);
    else if (end == NOTIFY_END_UNCLEAR)
        count_lost(table, asked);
    else if (waits)
        asked->due_ns = now + NOTIFY_END_STEP_NS;
    else if (is_by_number)
        report_refused(table, asked);
    else
        count_lost(table, asked);
}

/* `ended`: the call has ended. false where it is to be looked at again. */
static bool settle(struct notify_table *table, struct notify_question *asked, bool ended) {
    if (asked->gone_ns != 0) {
        settle_gone(table, asked);
        return asked->inode == 0;
    }
    /* In this order: a socket that it still has was in the table if it has a port. */
    bool came = look(table, asked);
    bool has = came || has_socket(&asked->event, asked->inode);
    if (came) {
        report(table, asked);
    } else if (!has) {
        settle_gone(table, asked);
    } else if (ended && !may_be_hidden(table, &asked->event)) {
        report_refused(table, asked);
    }
    return asked->inode == 0;
}

/* A socket's next call comes after what was called before, whoever makes it, or beside it. Whether
 * this socket has been found. */
static bool settle_before(struct notify_table *table, uint32_t thread, uint64_t inode) {
    bool found = false;
    for (unsigned i = 0; table->used > 0 && i < NOTIFY_ASKED_MOST; i++) {
        struct notify_question *asked = &table->asked[i];
        if (asked->inode == 0 || (asked->event.thread != thread && asked->inode != inode))
            continue;
        bool is_this = asked->inode == inode;
        bool settled = settle(table, asked, asked->event.thread == thread);
        found = found || (is_this && settled && known(table, inode)->row.inode == inode);
    }
    return found;
}

static uint32_t states_of_known(const struct socket_found *found) {
    if (found->peer_port != 0)
        return SOCKET_STATES_ALL;
    return found->row.listens ? UINT32_C(1) << TCP_LISTEN : SOCKET_STATES_BOUND;
}

static void look_up_address(struct notify_table *table, uint64_t inode,
                            struct outside_event *event) {
    struct socket_found found = *known(table, inode);
    bool is_known = found.row.inode == inode;
    bool is_tcp = event->protocol != IPPROTO_UDP;
    struct socket_wanted wanted = {.inode = inode,
                                   .states = is_known && is_tcp ? states_of_known(&found)
                                                                : states_of(event),
                                   .protocol = event->protocol,
                                   .port = is_known ? found.row.endpoint.port : 0,
                                   .family = event->family};
    event->local_port = 0;
    if (!find(table, &wanted, &found))
        return;
    fill(event, &found);
    fill_peer(event, &found);
}

uint64_t notify_table_enter(struct notify_table *table, const struct notify_guest *guest,
                            int descriptor, bool reads, struct outside_event *event) {
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)guest->thread, descriptor);
    uint64_t inode = inode_of(path);
    if (inode == 0 && errno != ENOENT && errno != ESRCH)
        recorder_lost(PW_LOST_CALLS, 1);
    bool is_fresh = settle_before(table, (uint32_t)guest->thread, inode);
    if (inode == 0 || !find_kind(path, event))
        return 0;
    if (!process_shares_namespace(guest->thread, "net")) {
        recorder_lost(PW_LOST_CALLS, 1);
        return 0;
    }
    event->netns = table->netns;
    if (known(table, inode)->row.inode == inode)
        fill(event, known(table, inode));
    if (reads && is_fresh)
        fill_peer(event, known(table, inode));
    else if (reads)
        look_up_address(table, inode, event);
    return inode;
}

void notify_table_before(struct notify_table *table, const struct outside_event *event) {
    struct socket_found found;
    const struct socket_wanted wanted = {.local = event->requested,
                                         .states = states_of(event),
                                         .protocol = event->protocol,
                                         .port = event->requested_port,
                                         .family = event->family};
    if (event->kind == OUTSIDE_BIND && event->requested_port != 0 &&
        socket_table_find(&wanted, &found) == 1)
        *known(table, found.row.inode) = found;
}

void notify_table_ask(struct notify_table *table, const struct outside_event *event,
                      uint64_t inode) {
    for (unsigned i = 0; i < NOTIFY_ASKED_MOST; i++) {
        struct notify_question *asked = &table->asked[i];
        if (asked->inode != 0)
            continue;
        *asked = (struct notify_question){
            .event = *event, .inode = inode, .due_ns = monotonic_ns() + FIRST_NS};
        table->used++;
        return;
    }
    recorder_lost(PW_LOST_CALLS, 1);
}

static uint64_t settle_if_due(struct notify_table *table, struct notify_question *asked,
                              uint64_t now) {
    if (asked->due_ns > now)
        return asked->due_ns;
    bool is_last = ++asked->tries >= TRIES_MOST;
    if (settle(table, asked, is_last))
        return UINT64_MAX;
    if (asked->gone_ns != 0)
        return asked->due_ns;
    asked->due_ns = now + (is_last ? LATER_NS : FIRST_NS << asked->tries);
    return asked->due_ns;
}

int64_t notify_table_run(struct notify_table *table) {
    uint64_t next = UINT64_MAX;
    if (table->used == 0)
        return -1;
    uint64_t now = monotonic_ns();
    for (unsigned i = 0; i < NOTIFY_ASKED_MOST; i++) {
        if (table->asked[i].inode == 0)
            continue;
        uint64_t due = settle_if_due(table, &table->asked[i], now);
        next = due < next ? due : next;
    }
    return next == UINT64_MAX ? -1 : (int64_t)(next - now);
}

void notify_table_end(struct notify_table *table) {
    const struct timespec pause = {.tv_nsec = NOTIFY_END_STEP_NS};
    for (uint64_t round = 0; table->used > 0 && round <= NOTIFY_END_NS / NOTIFY_END_STEP_NS + 1;
         round++) {
        for (unsigned i = 0; i < NOTIFY_ASKED_MOST; i++)
            if (table->asked[i].inode != 0)
                settle(table, &table->asked[i], true);
        if (table->used > 0)
            nanosleep(&pause, NULL);
    }
    /* Bound or not, nobody can say. */
    for (unsigned i = 0; table->used > 0 && i < NOTIFY_ASKED_MOST; i++)
        if (table->asked[i].inode != 0)
            count_lost(table, &table->asked[i]);
    notify_ends_close(&table->ends);
}

/* Tried out with a socket of our own. */
static bool find_bound(struct notify_table *table) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct socket_found found;
    struct stat status;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    struct outside_event event = {.kind = OUTSIDE_BIND, .protocol = IPPROTO_TCP};
    bool is_bound =
        bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && fstat(fd, &status) == 0;
    const struct socket_wanted wanted = {.inode = is_bound ? status.st_ino : 0,
                                         .states = states_of(&event),
                                         .protocol = IPPROTO_TCP,
                                         .family = AF_INET};
    bool shows = is_bound && find(table, &wanted, &found);
    close(fd);
    return shows;
}

void notify_table_open(struct notify_table *table) {
    table->netns = notify_own_netns();
    table->shows_bound = find_bound(table);
    bind_rules_read(&table->rules);
    notify_ends_open(&table->ends);
}
