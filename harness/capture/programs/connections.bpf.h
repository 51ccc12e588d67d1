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
    uint64_t thread = bpf_get_current_pid_tgid();
    struct thread_call *call = own_call(thread);
    if (call == NULL)
        return 1;
    struct caller caller = caller_of(thread);
    settle_without_port(call, socket, is_ipv6, bpf_get_socket_cookie(context));
    settle(call);
    announce_caller(call, caller);
    struct outside_event *event =
        bpf_sk_storage_get(&connections, socket, 0, BPF_SK_STORAGE_GET_F_CREATE);
    if (event == NULL) {
        __sync_fetch_and_add(&words.lost, 1);
        return 1;
    }
    note_socket(context, socket, event);
    note_call(event, caller);
    set_address(context, event->peer, is_ipv6);
    event->peer_port = __builtin_bswap16((uint16_t)context->user_port);
    return 1;
}

SEC("cgroup/connect4")
int on_connect4(struct bpf_sock_addr *context) { return connect_asked(context, false); }

SEC("cgroup/connect6")
int on_connect6(struct bpf_sock_addr *context) { return connect_asked(context, true); }

/* One that asks over and over for the same would fill the ring. The shim asks behind each bind,
 * before the program can: so two reads are reported, and the reader tells them apart. */
static __always_inline bool is_repeated(struct thread_call *call, uint64_t cookie, uint16_t port) {
    if (call->read_cookie != cookie || call->read_port != port)
        call->reads = 0;
    if (call->reads >= READS_REPORTED)
        return true;
    call->reads++;
    call->read_cookie = cookie;
    call->read_port = port;
    return false;
}

/* Nearly everybody asks for the port of a socket that it has just bound, the shim for each: that
 * goes with the socket's release, or with the thread's next bind, which saves an event. */
static __always_inline bool is_kept_back(struct thread_call *call, uint64_t cookie, uint16_t port) {
    if (call->pending || call->event.cookie != cookie || call->event.local_port != port)
        return false;
    if (call->kept_ns == 0)
        call->kept_ns = bpf_ktime_get_ns();
    return true;
}

static __always_inline int address_read(struct bpf_sock_addr *context, bool is_ipv6) {
    struct bpf_sock *socket = context->sk;
    uint16_t port = __builtin_bswap16((uint16_t)context->user_port);
    if (socket == NULL || !has_ports(context->type) || port == 0 || is_by_shim())
        return 1;
    /* The port of a connection is known already: CONNECT has it, or the listener. */
    if (context->protocol == PROTOCOL_TCP && READ_FIELD(socket->dst_port) != 0)
        return 1;
    uint64_t cookie = bpf_get_socket_cookie(context);
    uint64_t thread = bpf_get_current_pid_tgid();
    struct caller caller = caller_of(thread);
    struct thread_call *call = own_call(thread);
    if (call == NULL || caller.is_acted_for) /* who acts for it has looked, not the program */
        return 1;
    if (is_kept_back(call, cookie, port) || is_repeated(call, cookie, port))
        return 1;
    settle(call);
    announce(call, caller.process);
    struct outside_event *event = &call->event;
    note_socket(context, socket, event);
    note_caller(event, caller.process);
    __builtin_memset(event->requested, 0, sizeof event->requested);
    event->requested_port = 0;
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

/* Before 6.10 a program here cannot ask who runs: then it is whoever bound the socket, as far as is
 * known. */
static __always_inline void listened_before(struct bpf_sock_ops *context, struct bpf_sock *socket) {
    struct kept_socket *facts = bpf_sk_storage_get(&sockets, socket, 0, 0);
    struct outside_event *event = room_for(WITHOUT_ADDRESSES);
    if (event == NULL)
        return;
    __builtin_memset(event, 0, WITHOUT_ADDRESSES);
    note_time(event);
    note_end(context, event);
    set_ends(context, event);
    event->pid = facts != NULL ? facts->pid : 0;
    event->thread = facts != NULL ? facts->thread : 0;
    event->uid = UINT32_MAX;
    event->ours = switches.group == 0;
    event->kind = OUTSIDE_LISTEN;
    bpf_ringbuf_submit(event, wake_up());
}

/* It is not done yet: a port that it gives itself is not known. */
static __always_inline void listened(struct bpf_sock_ops *context) {
    uint64_t thread = bpf_get_current_pid_tgid();
    struct caller caller = caller_of(thread);
    struct thread_call *call = own_call(thread);
    if (call == NULL)
        return;
    struct outside_event *event = &call->event;
    /* A read of this socket that was kept back may wait on: what it says stays. */
    if (call->pending || event->cookie != bpf_get_socket_cookie(context))
        settle(call);
    announce_caller(call, caller);
    note_end(context, event);
    note_call(event, caller);
    set_ends(context, event);
    __builtin_memset(event->requested, 0, sizeof event->requested);
    event->requested_port = 0;
    event->error = 0;
    report(event, OUTSIDE_LISTEN);
}

static __always_inline void connecting(struct bpf_sock_ops *context, struct bpf_sock *socket) {
    struct outside_event *event = bpf_sk_storage_get(&connections, socket, 0, 0);
    if (event == NULL)
        return;
    set_ends(context, event);
    event->end_ns = bpf_ktime_get_ns();
    report(event, OUTSIDE_CONNECT);
    bpf_sk_storage_delete(&connections, socket);
}

/* net/ipv4/tcp.c, tcp_set_state: at TCP_CLOSE the port is free, unless the socket was bound by
 * number and is still held; then it stays until the release. A TIME_WAIT takes the place of a
 * socket that waits for the other side's end (or its acknowledgement); one that was reset there, or
 * waited too long, leaves none, but looks the same. */
static __always_inline void ended(struct bpf_sock_ops *context, struct bpf_sock *socket,
                                  uint32_t before) {
    const struct kept_socket *facts = bpf_sk_storage_get(&sockets, socket, 0, 0);
    if (before == STATE_CLOSE || (facts != NULL && facts->by_number && !facts->released))
        return;
    struct outside_event *event = room_for(WITHOUT_ADDRESSES);
    if (event == NULL)
        return;
    __builtin_memset(event, 0, WITHOUT_ADDRESSES);
    note_time(event);
    note_end(context, event);
    set_ends(context, event);
    event->uid = UINT32_MAX;
    event->state = (uint8_t)before;
    event->time_wait = before == STATE_FIN_WAIT2 || before == STATE_CLOSING;
    event->ours = switches.group == 0;
    event->kind = OUTSIDE_CLOSED;
    bpf_ringbuf_submit(event, wake_up());
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
    if (operation == BPF_SOCK_OPS_TCP_CONNECT_CB)
        connecting(context, socket);
    else if (switches.current)
        listened(context);
    else
        listened_before(context, socket);
    return 1;
}

#endif
