/* What is known of a socket, and a bind whose end is not. */
#ifndef PORTWITNESS_CAPTURE_PROGRAMS_SOCKETS_H
#define PORTWITNESS_CAPTURE_PROGRAMS_SOCKETS_H

#include "harness/capture/programs/caller.bpf.h"
#include "harness/capture/programs/maps.bpf.h"
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
static __always_inline void settle(struct seen_socket *seen_socket, bool has_address) {
    if (!seen_socket->pending)
        return;
    seen_socket->pending = 0;
    seen_socket->event.error = has_address ? 0 : OUTSIDE_ERROR_NOT_KNOWN;
    if (has_address)
        seen_socket->event.flags |= PW_FLAG_BIND_ADDRESS_NO_PORT;
    seen_socket->event.local_port = 0;
    __builtin_memset(seen_socket->event.local, 0, sizeof seen_socket->event.local);
    report(&seen_socket->event, OUTSIDE_BIND);
}

static __always_inline struct seen_socket *seen_of(struct bpf_sock *socket) {
    return bpf_sk_storage_get(&sockets, socket, 0, BPF_SK_STORAGE_GET_F_CREATE);
}

#endif
