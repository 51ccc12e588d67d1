/* Facts of a socket asked from the kernel, and the records about sockets. */
#ifndef PORTWITNESS_SOCKET_SOCKETS_H
#define PORTWITNESS_SOCKET_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "shim/shared/port_table.h"
#include "shim/shared/recorder.h"
#include "shim/socket/descriptors.h"

/* An address with port, as it stands in a record. */
struct ip_endpoint {
    uint8_t address[16];
    uint32_t scope;
    uint16_t port;
    uint16_t family; /* AF_INET, AF_INET6; 0: neither */
};

/* Reads a socket address of at most `length` bytes; family 0 where it is not an IP address. */
struct ip_endpoint ip_endpoint_of(const void *address, socklen_t length);

/* Copies an address that a call was given: as it is where the kernel took it, and where it did not,
 * if it can be read; an error alone does not prove that the kernel could. */
bool socket_given_address(struct sockaddr_storage *into, const struct sockaddr *address,
                          socklen_t length, int result, int error);

/* The local address of a socket by the kernel; family 0 where there is none. */
struct ip_endpoint socket_local(int fd);
struct ip_endpoint socket_remote(int fd);

/* Whether the socket has no port yet, as far as is known. */
bool socket_is_unbound(int fd, const struct socket_facts *facts);

/* A program reads its address right after bind as a rule, in the same thread. Then the record of
 * the bind is marked, and neither the kernel is asked nor another record written. What was
 * remembered holds until this thread binds or connects again. */
void socket_remember_bind(uint64_t cookie, uint16_t port, struct record *record);
void socket_forget_bind(void);

/* true where the socket was this thread's latest bind, with this port: its record is marked now. */
bool socket_mark_read(uint64_t cookie, uint16_t port);

/* In a sandbox the port of a bind is known only when the program has read it itself: true where the
 * bind was this thread's latest, whose record has the address now, and is marked. */
bool socket_fill_in_port(uint64_t cookie, const struct ip_endpoint *local);

/* SO_COOKIE (socket(7)), 0 where fd is not a socket. */
uint64_t socket_cookie(int fd);

/* The same for a socket that this call has made: one that is made up where the kernel may not be
 * asked. */
uint64_t socket_cookie_of_new(int fd);

/* Whether a socket of these kinds has ports at all. */
bool socket_has_ports(int domain, int type, int protocol);

/* Asks the kernel all that the table holds, for a descriptor that came from elsewhere. false where
 * fd is not an IP socket with ports. */
bool socket_ask(int fd, struct socket_facts *facts);

/* The facts of a descriptor that a socket call is about to use: from the table, or asked where it
 * was never seen. An entry whose number has become another socket is replaced, and its release
 * recorded as inferred. `must_check` asks for the cookie. false: not an IP socket with ports. */
bool socket_known(int fd, struct socket_facts *facts, bool must_check);

/* Stores changed facts back (not in a vfork child, whose memory is the parent's). */
void socket_keep(int fd, const struct socket_facts *facts);

/* Writes the record of a socket that has no record yet: it is about to get another holder. */
void socket_record(int fd);

/* The same for all of this process: it is about to fork, or is the child of a fork that went past
 * us. */
void sockets_record_all(void);

/* What each record about a call is begun with. */
struct call_context {
    int number; /* enum call_number */
    const void *site;
    uint64_t begin_ns;
    uint64_t flags; /* besides those in the facts */
};

/* Begins a record of `count` units about a socket: start unit filled, and, where count > 1, the
 * pw_socket unit with the facts (requested and assigned are the caller's). */
bool socket_record_begin(struct record *record, enum pw_kind kind, unsigned count, int fd,
                         const struct socket_facts *facts, const struct call_context *context);

/* The question who stands in the way of a bind of the socket to `wanted`, which must outlive it. */
struct port_question socket_port_question(const struct socket_facts *facts,
                                          const struct ip_endpoint *wanted);

/* Fill fields of a record that has begun. */
void record_requested(struct record *record, const struct ip_endpoint *endpoint);
void record_assigned(struct record *record, const struct ip_endpoint *endpoint);
void record_peer(struct record *record, const struct ip_endpoint *endpoint);

/* A new descriptor of a socket: made by dup, received, inherited (a flag says which). Enters it in
 * the table and records it; nothing happens where it is not an IP socket. `original` is -1 or the
 * descriptor that was duplicated. */
void socket_adopt(int fd, const struct socket_facts *facts, int original,
                  const struct call_context *context);

#endif
