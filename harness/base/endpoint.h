/* Endpoints, and when two of them meet: (protocol, address, port) in one network namespace. */
#ifndef PORTWITNESS_BASE_ENDPOINT_H
#define PORTWITNESS_BASE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Addresses as in a trace: 16 bytes, IPv4 as ::ffff:a.b.c.d; the port in host byte order. */
struct endpoint {
    uint8_t address[16];
    uint32_t scope;
    uint16_t port;
    uint8_t family;   /* AF_INET, AF_INET6: the socket's own */
    uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
    bool v6only;
};

#define ENDPOINT_TEXT_SIZE 96

/* Is the address the wildcard of its family? */
bool endpoint_is_wildcard(const struct endpoint *endpoint);

/* May no two sockets without reuse options have these addresses with one port? Neither protocol nor
 * port is looked at. */
bool endpoint_addresses_overlap(const struct endpoint *one, const struct endpoint *other);

/* The same with protocol and port: are both the same, and do the addresses overlap? */
bool endpoints_overlap(const struct endpoint *one, const struct endpoint *other);

/* The same address, port, protocol and kind of socket. */
bool endpoints_equal(const struct endpoint *one, const struct endpoint *other);

/* Fills a socket address for bind or connect; returns its length. */
socklen_t endpoint_to_socket_address(const struct endpoint *endpoint,
                                     struct sockaddr_storage *address);

/* Takes address, scope, port and family from a socket address; the rest stays. */
void endpoint_from_socket_address(struct endpoint *endpoint,
                                  const struct sockaddr_storage *address);

/* Sets address and family from raw bytes, 4 for AF_INET and 16 for AF_INET6. */
void endpoint_set_address(struct endpoint *endpoint, int family, const void *bytes);

/* "tcp 127.0.0.1:80", "udp [::1]:53". Returns `text`. */
const char *endpoint_text(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_SIZE]);

/* "tcp", "udp", "sctp". */
const char *endpoint_protocol_name(unsigned protocol);

#endif
