/*
 * Sees what happens to sockets, whoever makes the calls: programs at the hooks of a control group.
 * None of them changes what the guest gets; each returns 1, which lets the call go on.
 *
 * bind4 and bind6 run before a bind, post_bind4 and post_bind6 behind a successful one. So a bind
 * that failed shows as a request that nothing followed, and is reported at the next call on the
 * socket or at its release, with an error that is not known.
 */
#include "harness/capture/programs/caller.bpf.h"
#include "harness/capture/programs/maps.bpf.h"

#define SOL_SOCKET_OPTIONS 1
#define OPTION_REUSEADDR 2
#define OPTION_REUSEPORT 15
#define STATE_CLOSE 7
#define STATE_LISTEN 10
#define SOCKET_STREAM 1
#define SOCKET_DATAGRAM 2
/* One load of its own, as the verifier wants of what is no plain memory. */
#define READ_FIELD(field) (*(volatile __typeof__(field) *)&(field))
#define ERROR_INVALID 22 /* EINVAL */

/* Sockets without ports, such as those of ping, are nobody's business here. */
static __always_inline bool has_ports(uint32_t type) {
    return type == SOCKET_STREAM || type == SOCKET_DATAGRAM;
}

static __always_inline void set_address(struct bpf_sock_addr *context, uint8_t to[16],
                                        bool is_ipv6) {
    if (is_ipv6)
        SET_IPV6(to, context->user_ip6);
    else
        set_ipv4(to, context->user_ip4);
}

static __always_inline void note_socket(struct bpf_sock_addr *context, struct bpf_sock *socket,
                                        struct outside_event *event) {
    event->family = (uint8_t)context->family;
    event->type = (uint8_t)context->type;
    event->protocol = (uint16_t)context->protocol;
    event->cookie = bpf_get_socket_cookie(context);
    event->netns = bpf_get_netns_cookie(context);
    event->device = socket->bound_dev_if;
    event->error = 0;
}

/* Is the socket's address the one that was asked for? Then a bind without post_bind succeeded: one
 * to port 0 under IP_BIND_ADDRESS_NO_PORT, which waits for its connect to get a port. */
static __always_inline bool has_requested_address(struct bpf_sock *socket,
                                                  const struct outside_event *event, bool is_ipv6) {
    const uint32_t *asked = (const uint32_t *)event->requested;
    if (event->requested_port != 0)
        return false;
    if (!is_ipv6)
        return asked[3] != 0 && READ_FIELD(socket->src_ip4) == asked[3];
    return (asked[0] | asked[1] | asked[2] | asked[3]) != 0 &&
           READ_FIELD(socket->src_ip6[0]) == asked[0] &&
           READ_FIELD(socket->src_ip6[1]) == asked[1] &&
           READ_FIELD(socket->src_ip6[2]) == asked[2] && READ_FIELD(socket->src_ip6[3]) == asked[3];
}

/* Reports the bind whose end nobody reported. */
static __always_inline void settle(struct seen_socket *facts, bool has_address) {
    if (!facts->pending)
        return;
    facts->pending = 0;
    facts->event.error = has_address ? 0 : OUTSIDE_ERROR_NOT_KNOWN;
    if (has_address)
        facts->event.flags |= PW_FLAG_BIND_ADDRESS_NO_PORT;
    facts->event.local_port = 0;
    __builtin_memset(facts->event.local, 0, sizeof facts->event.local);
    report(&facts->event, OUTSIDE_BIND);
}

static __always_inline struct seen_socket *facts_of(struct bpf_sock *socket) {
    return bpf_sk_storage_get(&sockets, socket, 0, BPF_SK_STORAGE_GET_F_CREATE);
}

static __always_inline void note_options(struct bpf_sock_addr *context,
                                         struct outside_event *event) {
    int value = 0;
    event->flags = 0;
    event->options_known = 0;
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

static __always_inline int bind_asked(struct bpf_sock_addr *context, bool is_ipv6) {
    struct bpf_sock *socket = context->sk;
    if (socket == NULL || !has_ports(context->type))
        return 1;
    struct seen_socket *facts = facts_of(socket);
    if (facts == NULL) {
        __sync_fetch_and_add(&words.lost, 1);
        return 1;
    }
    settle(facts, has_requested_address(socket, &facts->event, is_ipv6));
    struct outside_event *event = &facts->event;
    note_socket(context, socket, event);
    note_caller(event, current_process());
    note_options(context, event);
    set_address(context, event->requested, is_ipv6);
    event->requested_port = __builtin_bswap16((uint16_t)context->user_port);
    if (event->requested_port == 0)
        event->flags |= PW_FLAG_PORT_ZERO;
    event->local_port = 0;
    __builtin_memset(event->local, 0, sizeof event->local);
    if (socket->src_port == 0) {
        facts->pending = 1;
        return 1;
    }
    /* net/ipv4/af_inet.c, __inet_bind: it has a port already. */
    event->error = ERROR_INVALID;
    event->inferred = 1;
    report(event, OUTSIDE_BIND);
    event->error = 0;
    event->inferred = 0;
    return 1;
}

SEC("cgroup/bind4")
int on_bind4(struct bpf_sock_addr *context) { return bind_asked(context, false); }

SEC("cgroup/bind6")
int on_bind6(struct bpf_sock_addr *context) { return bind_asked(context, true); }

static __always_inline int bind_done(struct bpf_sock *context, bool is_ipv6) {
    if (!has_ports(context->type))
        return 1;
    struct seen_socket *facts = bpf_sk_storage_get(&sockets, context, 0, 0);
    if (facts == NULL)
        return 1;
    struct outside_event *event = &facts->event;
    event->end_ns = bpf_ktime_get_ns();
    event->local_port = (uint16_t)context->src_port;
    if (is_ipv6)
        SET_IPV6(event->local, context->src_ip6);
    else
        set_ipv4(event->local, context->src_ip4);
    event->error = 0;
    facts->port = event->local_port;
    facts->pending = 0;
    report(event, OUTSIDE_BIND);
    return 1;
}

SEC("cgroup/post_bind4")
int on_post_bind4(struct bpf_sock *context) { return bind_done(context, false); }

SEC("cgroup/post_bind6")
int on_post_bind6(struct bpf_sock *context) { return bind_done(context, true); }

/* Behind the last close. Of a TCP socket that has a connection the port stays until CLOSED. */
SEC("cgroup/sock_release")
int on_release(struct bpf_sock *context) {
    if (!has_ports(context->type))
        return 1;
    struct seen_socket *facts = bpf_sk_storage_get(&sockets, context, 0, 0);
    if (facts != NULL)
        settle(facts, false);
    struct outside_event *event = room_for(SHORT_EVENT);
    if (event == NULL)
        return 1;
    if (facts != NULL)
        COPY(event, &facts->event, SHORT_EVENT);
    else
        __builtin_memset(event, 0, SHORT_EVENT);
    uint32_t state = context->state;
    note_caller(event, current_process());
    event->kind = OUTSIDE_RELEASED;
    event->error = 0;
    event->family = (uint8_t)context->family;
    event->type = (uint8_t)context->type;
    event->protocol = (uint16_t)context->protocol;
    event->cookie = bpf_get_socket_cookie(context);
    event->netns = bpf_get_netns_cookie(context);
    event->state = (uint8_t)state;
    event->bound = context->type != SOCKET_STREAM || state == STATE_CLOSE || state == STATE_LISTEN;
    event->local_port = facts != NULL ? facts->port : 0;
    bpf_ringbuf_submit(event, wake_up(event->pid));
    return 1;
}

char _license[] SEC("license") = "Dual MIT/GPL";
