/* What is known of a socket and of the call that a thread is in, and a bind whose end is not known.
 */
#ifndef PORTWITNESS_CAPTURE_PROGRAMS_SOCKETS_H
#define PORTWITNESS_CAPTURE_PROGRAMS_SOCKETS_H

#include "harness/capture/programs/acting.bpf.h"
#include "harness/capture/programs/caller.bpf.h"
#include "harness/capture/programs/maps.bpf.h"
#include "harness/capture/programs/processes.bpf.h"
#include "harness/capture/programs/walk.bpf.h"

#define STATE_CLOSE 7
#define STATE_LISTEN 10
#define SOCKET_STREAM 1
#define SOCKET_DATAGRAM 2
/* One load of its own, as the verifier wants of what is no plain memory. */
#define READ_FIELD(field) (*(volatile __typeof__(field) *)&(field))

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
    event->flags = 0;
    event->options_known = 0;
}

/* The entry of this thread, which is only found and never made; NULL if it has none. */
static __always_inline struct thread_call *found_call(uint64_t thread) {
    return bpf_map_lookup_elem(&calls, &thread);
}

static __always_inline struct thread_call *own_call(uint64_t thread) {
    struct thread_call *call = bpf_map_lookup_elem(&calls, &thread);
    if (call != NULL)
        return call;
    bpf_map_update_elem(&calls, &thread, (const void *)&no_call, BPF_ANY);
    call = bpf_map_lookup_elem(&calls, &thread);
    if (call == NULL)
        __sync_fetch_and_add(&words.lost, 1);
    return call;
}

/* Reports the bind of which nobody reported that it succeeded, or the read that was kept back. */
__attribute__((noinline)) int settle(struct thread_call *call) {
    if (call == NULL)
        return 0;
    struct outside_event *event = &call->event;
    uint32_t kind = OUTSIDE_BIND;
    if (call->pending) {
        event->error = OUTSIDE_ERROR_NOT_KNOWN;
    } else if (call->kept_ns != 0) {
        kind = OUTSIDE_READ;
        event->begin_ns = call->kept_ns;
        event->end_ns = call->kept_ns;
        event->addresses = 0;
    } else {
        return 0;
    }
    report(event, kind);
    event->error = 0;
    call->pending = 0;
    call->kept_ns = 0;
    return 0;
}

/* A bind to port 0 under IP_BIND_ADDRESS_NO_PORT succeeds without post_bind, and waits for its
 * connect to get a port. It is known by the address that the socket has, unless that is the
 * wildcard. */
static __always_inline void settle_without_port(struct thread_call *call, struct bpf_sock *socket,
                                                bool is_ipv6, uint64_t cookie) {
    const uint32_t *asked = (const uint32_t *)call->event.requested;
    if (!call->pending || call->event.requested_port != 0 || call->event.cookie != cookie)
        return;
    if (is_ipv6 ? (asked[0] | asked[1] | asked[2] | asked[3]) == 0 ||
                      READ_FIELD(socket->src_ip6[0]) != asked[0] ||
                      READ_FIELD(socket->src_ip6[1]) != asked[1] ||
                      READ_FIELD(socket->src_ip6[2]) != asked[2] ||
                      READ_FIELD(socket->src_ip6[3]) != asked[3]
                : asked[3] == 0 || READ_FIELD(socket->src_ip4) != asked[3])
        return;
    call->pending = 0;
    call->event.flags |= PW_FLAG_BIND_ADDRESS_NO_PORT;
    report(&call->event, OUTSIDE_BIND);
}

#endif
