/* The kernel's table of sockets, as sock_diag(7) shows it: what may stand in a port's way. */
#ifndef PORTWITNESS_SHARED_PORT_TABLE_H
#define PORTWITNESS_SHARED_PORT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

enum { PORT_ROWS_MAX = 4, PORT_TABLE_BYTES = 32 * 1024 };

/* Which socket wants which port. */
struct port_question {
    uint64_t cookie;        /* of the socket: it does not stand in its own way */
    uint64_t netns;         /* SO_NETNS_COOKIE of the socket, 0: not known */
    const uint8_t *address; /* 16 bytes, IPv4 mapped */
    uint32_t device;        /* that the socket is bound to, 0: none, or not known */
    uint16_t port;
    uint8_t type; /* SOCK_DGRAM: UDP is meant, otherwise TCP */
    bool only_v6; /* the socket has IPV6_V6ONLY */
};

/* A socket that has the port. */
struct port_row {
    uint8_t address[16]; /* as above */
    uint8_t family;      /* AF_INET, AF_INET6 */
    bool only_v6;
    bool unsure; /* whether it meets the address in question: the kernel does not tell */
    uint64_t cookie;
    uint32_t device; /* that it is bound to, 0: none */
    uint32_t inode;
    uint32_t uid;
    uint32_t state; /* enum of the kernel's tcp_states.h; above 10: bound and not connected */
};

/* Those that say most, where there are more. */
struct port_rows {
    struct port_row list[PORT_ROWS_MAX];
    unsigned count;
};

/* Of 16 bytes, IPv4 mapped: the wildcard of either family; an address of IPv4. */
bool port_address_is_any(const uint8_t address[16]);
bool port_address_is_v4(const uint8_t address[16]);

/* Whether sockets at these two addresses meet at one port, each with IPV6_V6ONLY or without. Of
 * the two families only the wildcard of IPv6 meets addresses of the other, unless that is set
 * (ipv6(7)). */
bool port_addresses_meet(const uint8_t one[16], bool one_only_v6, const uint8_t other[16],
                         bool other_only_v6);

/* Asks which sockets other than the one in question may stand in the way of its bind. `reply` is
 * memory of PORT_TABLE_BYTES for the answer, aligned to 8. false where the kernel does not say, or
 * the thread is in another network namespace than the socket. Sockets that are bound and neither
 * listen nor are connected are seen since Linux 6.8. */
bool port_table_ask(const struct port_question *question, char *reply, struct port_rows *rows);

/* Who is in the way of it beside the socket with that cookie, of which the lower half is known. */
enum port_in_the_way {
    PORT_WAY_NOT_KNOWN, /* the kernel does not say */
    PORT_WAY_FREE,      /* nobody */
    PORT_WAY_OTHERS
};
enum port_in_the_way port_table_look(const struct port_question *question, uint32_t beside,
                                     char *reply);

#endif
