/* Binds, with what was asked for and what was assigned, and the release of a socket. */
#ifndef PORTWITNESS_CAPTURE_PROGRAMS_BINDS_H
#define PORTWITNESS_CAPTURE_PROGRAMS_BINDS_H

#include "harness/capture/programs/sockets.bpf.h"

/* asm-generic/socket.h. */
#define SOL_SOCKET_OPTIONS 1
#define OPTION_REUSEADDR 2
#define OPTION_REUSEPORT 15
#define ERROR_INVALID 22 /* EINVAL */
#define RELEASE_BYTES offsetof(struct outside_event, flags)

static __always_inline void note_options(struct bpf_sock_addr *context,
                                         struct outside_event *event) {
    int value = 0;
    if (!switches.options)
        return;
    if (bpf_getsockopt(context, SOL_SOCKET_OPTIONS, OPTION_REUSEADDR, &value, sizeof value) != 0)
        return;
    event->flags |= value != 0 ? PW_FLAG_REUSEADDR : 0;
    if (bpf_getsockopt(context, SOL_SOCKET_OPTIONS, OPTION_REUSEPORT, &value, sizeof value) != 0)
        return;
    event->flags |= value != 0 ? PW_FLAG_REUSEPORT : 0;
    event->options_known = 1;
}

/* net/ipv4/af_inet.c, __inet_bind: refused, for the socket has a port already. */
static __always_inline void report_bound_already(struct thread_call *call) {
    struct outside_event *event = &call->event;
    event->error = ERROR_INVALID;
    event->inferred = 1;
    report(event, OUTSIDE_BIND);
    event->error = 0;
    event->inferred = 0;
}

static __always_inline int bind_asked(struct bpf_sock_addr *context, bool is_ipv6) {
    struct bpf_sock *socket = context->sk;
    if (socket == NULL || !has_ports(context->type) || is_by_shim())
        return 1;
    uint64_t thread = bpf_get_current_pid_tgid();
    struct thread_call *call = own_call(thread);
    if (call == NULL)
        return 1;
    settle(call);
    struct outside_event *event = &call->event;
    struct caller caller = caller_of(thread);
    announce_caller(call, caller);
    note_socket(context, socket, event);
    note_call(event, caller);
    note_options(context, event);
    set_address(context, event->requested, is_ipv6);
    event->requested_port = __builtin_bswap16((uint16_t)context->user_port);
    if (event->requested_port == 0)
        event->flags |= PW_FLAG_PORT_ZERO;
    event->local_port = 0;
    __builtin_memset(event->local, 0, sizeof event->local);
    if (socket->src_port == 0)
        call->pending = 1;
    else
        report_bound_already(call);
    return 1;
}

SEC("cgroup/bind4")
int on_bind4(struct bpf_sock_addr *context) { return bind_asked(context, false); }

SEC("cgroup/bind6")
int on_bind6(struct bpf_sock_addr *context) { return bind_asked(context, true); }

/* A port that was asked for by number stays with a TCP socket until its release, and before 6.10
 * nobody can say later who makes a call. */
static __always_inline void keep_facts(struct bpf_sock *context,
                                       const struct outside_event *event) {
    if (context->type != SOCKET_STREAM || (event->requested_port == 0 && switches.current))
        return;
    struct kept_socket *facts =
        bpf_sk_storage_get(&sockets, context, 0, BPF_SK_STORAGE_GET_F_CREATE);
    if (facts == NULL)
        return;
    facts->by_number = event->requested_port != 0;
    facts->pid = event->pid;
    facts->thread = event->thread;
}

static __always_inline int bind_done(struct bpf_sock *context, bool is_ipv6) {
    if (!has_ports(context->type) || is_by_shim())
        return 1;
    struct thread_call *call = found_call(bpf_get_current_pid_tgid());
    if (call == NULL || call->event.cookie != bpf_get_socket_cookie(context))
        return 1;
    struct outside_event *event = &call->event;
    event->end_ns = bpf_ktime_get_ns();
    event->local_port = (uint16_t)context->src_port;
    if (is_ipv6)
        SET_IPV6(event->local, context->src_ip6);
    else
        set_ipv4(event->local, context->src_ip4);
    call->pending = 0;
    keep_facts(context, event);
    report(event, OUTSIDE_BIND);
    return 1;
}

SEC("cgroup/post_bind4")
int on_post_bind4(struct bpf_sock *context) { return bind_done(context, false); }

SEC("cgroup/post_bind6")
int on_post_bind6(struct bpf_sock *context) { return bind_done(context, true); }

/* A read that was kept back goes with the release of its socket. */
static __always_inline uint64_t take_kept(struct thread_call *call, uint64_t cookie) {
    uint64_t kept = call->kept_ns;
    if (kept == 0 || call->event.cookie != cookie) {
        settle(call);
        return 0;
    }
    call->kept_ns = 0;
    return kept;
}

/* Behind the last close. Of a TCP socket that has a connection the port stays until CLOSED. */
SEC("cgroup/sock_release")
int on_release(struct bpf_sock *context) {
    if (!has_ports(context->type))
        return 1;
    uint64_t cookie = bpf_get_socket_cookie(context);
    uint64_t thread = bpf_get_current_pid_tgid();
    uint64_t process = process_told(thread);
    uint32_t state = context->state;
    struct thread_call *call = found_call(thread);
    uint64_t kept_ns = call != NULL ? take_kept(call, cookie) : 0;
    if (context->type == SOCKET_STREAM) {
        struct kept_socket *facts = bpf_sk_storage_get(&sockets, context, 0, 0);
        if (facts != NULL)
            facts->released = 1;
    }
    struct outside_event *event = room_for(RELEASE_BYTES);
    if (event == NULL)
        return 1;
    __builtin_memset(event, 0, RELEASE_BYTES);
    event->kind = OUTSIDE_RELEASED;
    event->family = (uint8_t)context->family;
    event->type = (uint8_t)context->type;
    event->protocol = (uint16_t)context->protocol;
    event->end_ns = bpf_ktime_get_ns();
    event->begin_ns = kept_ns != 0 ? kept_ns : event->end_ns;
    event->cookie = cookie;
    event->netns = bpf_get_netns_cookie(context);
    event->pid = process >> 32;
    event->thread = (uint32_t)process;
    event->uid = UINT32_MAX;
    event->ours = is_ours();
    event->state = (uint8_t)state;
    event->bound = context->type != SOCKET_STREAM || state == STATE_CLOSE || state == STATE_LISTEN;
    event->local_port = call != NULL && kept_ns != 0 ? call->event.local_port : 0;
    bpf_ringbuf_submit(event, wake_up());
    return 1;
}

#endif
