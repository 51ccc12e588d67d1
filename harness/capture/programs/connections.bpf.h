/* Listens, connections, reads of the address, and the exact end of TCP sockets. */
#ifndef PORTWITNESS_CAPTURE_PROGRAMS_CONNECTIONS_H
#define PORTWITNESS_CAPTURE_PROGRAMS_CONNECTIONS_H

#include "harness/capture/programs/sockets.bpf.h"

/* TCP states, include/net/tcp_states.h. */
#define STATE_FIN_WAIT2 5
#define STATE_CLOSING 11

/* A TCP socket is going to connect; it has its port by the time of the connection's first segment.
 */
static __always_inline int connect_asked(struct bpf_sock_addr *context, bool is_ipv6) {
    struct bpf_sock *socket = context->sk;
    if (socket == NULL || context->protocol != PROTOCOL_TCP)
        return 1;
    uint64_t process = current_process();
    if (is_entered(process >> 32))
        return 1;
    struct seen_socket *seen_socket = seen_of(socket);
    if (seen_socket == NULL)
        return 1;
    settle(seen_socket, has_requested_address(socket, &seen_socket->event, is_ipv6));
    struct outside_event *event = &seen_socket->event;
    note_socket(context, socket, event);
    note_caller(event, process);
    walk(event);
    set_address(context, event->peer, is_ipv6);
    event->peer_port = __builtin_bswap16((uint16_t)context->user_port);
    seen_socket->connecting = 1;
    return 1;
}

SEC("cgroup/connect4")
int on_connect4(struct bpf_sock_addr *context) { return connect_asked(context, false); }

SEC("cgroup/connect6")
int on_connect6(struct bpf_sock_addr *context) { return connect_asked(context, true); }

/* The shim asks for the address behind each bind, before the program can: so two reads of a port
 * are reported, and the reader tells them apart. */
static __always_inline int address_read(struct bpf_sock_addr *context, bool is_ipv6) {
    struct bpf_sock *socket = context->sk;
    uint16_t port = __builtin_bswap16((uint16_t)context->user_port);
    if (socket == NULL || !has_ports(context->type) || port == 0)
        return 1;
    uint64_t process = current_process();
    if (is_entered(process >> 32))
        return 1;
    struct seen_socket *seen_socket = bpf_sk_storage_get(&sockets, socket, 0, 0);
    /* One that was accepted has its listener's port, which is known. */
    if (seen_socket == NULL && context->protocol == PROTOCOL_TCP &&
        READ_FIELD(socket->dst_port) != 0)
        return 1;
    if (seen_socket == NULL)
        seen_socket = seen_of(socket);
    if (seen_socket == NULL)
        return 1;
    settle(seen_socket, has_requested_address(socket, &seen_socket->event, is_ipv6));
    if (seen_socket->read_port != port)
        seen_socket->reads = 0;
    if (seen_socket->reads >= READS_REPORTED)
        return 1;
    seen_socket->reads++;
    seen_socket->read_port = port;
    seen_socket->port = port;
    struct outside_event *event = &seen_socket->event;
    note_socket(context, socket, event);
    note_caller(event, process);
    walk(event);
    set_address(context, event->local, is_ipv6);
    event->local_port = port;
    report(event, OUTSIDE_READ);
    return 1;
}

SEC("cgroup/getsockname4")
int on_getsockname4(struct bpf_sock_addr *context) { return address_read(context, false); }

SEC("cgroup/getsockname6")
int on_getsockname6(struct bpf_sock_addr *context) { return address_read(context, true); }

static __always_inline void set_ends(struct bpf_sock_ops *context, struct outside_event *event) {
    event->local_port = (uint16_t)context->local_port;
    event->peer_port = (uint16_t)__builtin_bswap32(context->remote_port);
    if (context->family == AF_INET) {
        set_ipv4(event->local, context->local_ip4);
        set_ipv4(event->peer, context->remote_ip4);
        return;
    }
    SET_IPV6(event->local, context->local_ip6);
    SET_IPV6(event->peer, context->remote_ip6);
}

static __always_inline void note_end(struct bpf_sock_ops *context, struct outside_event *event) {
    event->family = (uint8_t)context->family;
    event->type = SOCKET_STREAM;
    event->protocol = PROTOCOL_TCP;
    event->cookie = bpf_get_socket_cookie(context);
    if (switches.netns)
        event->netns = bpf_get_netns_cookie(context);
}

/* Before the listen is done: a port that it gives itself is not known yet. */
static __always_inline void listened(struct bpf_sock_ops *context, struct bpf_sock *socket) {
    uint64_t process = switches.current ? current_process() : 0;
    if (is_entered(process >> 32))
        return;
    struct seen_socket *seen_socket = seen_of(socket);
    if (seen_socket == NULL)
        return;
    struct outside_event *event = &seen_socket->event;
    if (!switches.current && is_entered(event->pid))
        return;
    settle(seen_socket, false);
    note_end(context, event);
    set_ends(context, event);
    event->error = 0;
    /* Else whoever bound it listens, as far as is known. */
    event->addresses = 0;
    note_time(event);
    if (switches.current) {
        note_caller(event, process);
        walk(event);
    }
    seen_socket->port = event->local_port;
    report(event, OUTSIDE_LISTEN);
}

static __always_inline void connecting(struct bpf_sock_ops *context, struct bpf_sock *socket) {
    struct seen_socket *seen_socket = bpf_sk_storage_get(&sockets, socket, 0, 0);
    if (seen_socket == NULL || !seen_socket->connecting)
        return;
    struct outside_event *event = &seen_socket->event;
    seen_socket->connecting = 0;
    set_ends(context, event);
    event->end_ns = bpf_ktime_get_ns();
    seen_socket->port = event->local_port;
    report(event, OUTSIDE_CONNECT);
}

/* net/ipv4/tcp.c, tcp_set_state: at TCP_CLOSE the port is free, unless the socket was bound by
 * number and is still held; then it stays until the release. A TIME_WAIT takes the place of a
 * socket that waits for the other side's end (or its acknowledgement); one that was reset there, or
 * waited too long, leaves none, but looks the same. */
static __always_inline void ended(struct bpf_sock_ops *context, struct bpf_sock *socket,
                                  uint32_t before) {
    struct seen_socket *seen_socket = bpf_sk_storage_get(&sockets, socket, 0, 0);
    if (before == STATE_CLOSE ||
        (seen_socket != NULL && seen_socket->by_number && !seen_socket->released))
        return;
    struct outside_event *event = room_for(SHORT_EVENT);
    if (event == NULL)
        return;
    __builtin_memset(event, 0, SHORT_EVENT);
    note_time(event);
    note_end(context, event);
    set_ends(context, event);
    event->kind = OUTSIDE_CLOSED;
    event->uid = UINT32_MAX;
    event->state = (uint8_t)before;
    event->time_wait = before == STATE_FIN_WAIT2 || before == STATE_CLOSING;
    event->ours = switches.group == 0 || (seen_socket != NULL && seen_socket->event.ours);
    if (seen_socket != NULL)
        seen_socket->port = 0;
    bpf_ringbuf_submit(event, wake_up(0));
}

SEC("sockops")
int on_socket_operation(struct bpf_sock_ops *context) {
    struct bpf_sock *socket = context->sk;
    uint32_t operation = context->op;
    if (socket == NULL)
        return 1;
    if (operation == BPF_SOCK_OPS_STATE_CB && context->args[1] == STATE_CLOSE) {
        ended(context, socket, context->args[0]);
        return 1;
    }
    if (operation != BPF_SOCK_OPS_TCP_LISTEN_CB && operation != BPF_SOCK_OPS_TCP_CONNECT_CB)
        return 1;
    /* What a listener accepts inherits the flag. */
    bpf_sock_ops_cb_flags_set(context, context->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
    if (operation == BPF_SOCK_OPS_TCP_LISTEN_CB)
        listened(context, socket);
    else
        connecting(context, socket);
    return 1;
}

#endif
