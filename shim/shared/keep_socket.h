/* The policy `keep` at one socket: a second one is made beside it and kept, and a bind or listen
 * that only a kept socket is in the way of goes past it. For the shim, and for `run` in the place
 * of a program that the shim is not in. */
#ifndef PORTWITNESS_SHARED_KEEP_SOCKET_H
#define PORTWITNESS_SHARED_KEEP_SOCKET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A socket of the program's. */
struct keep_socket {
    int fd;
    bool is_udp;
    bool only_v6;
    bool may_share; /* SO_REUSEADDR is on */
    bool may_join;  /* SO_REUSEPORT is on */
    uint16_t family;
    uint32_t device;
    uint32_t uid; /* of the user who made it */
    uint64_t cookie;
    uint64_t netns;
    _Atomic bool
        *changed; /* true while SO_REUSEADDR is on by us: to be restored where the call is left */
};

struct keep_place {
    uint8_t address[16]; /* IPv4 mapped */
    uint32_t scope;
    uint16_t port;
};

/* Whether ports of the socket are kept at all: it is of `run`'s own network namespace. */
bool keep_applies(const struct keep_socket *socket);

/* Keeps the port, which the socket was given for port 0 and does not listen on yet. false where
 * that cannot be, which is counted. */
bool keep_beside(const struct keep_socket *socket, const struct keep_place *place);

/* Makes the call, a bind of the socket to that place, and what `keep` adds: where nothing but a
 * kept socket refuses it, past that; and what was kept there is closed before it returns. *handed:
 * it was. The result and errno are the call's. */
long keep_bind(const struct keep_socket *socket, const struct keep_place *place,
               long (*call)(const void *), const void *arguments, bool *handed);

/* The same for a listen of a socket that has that place already, beside which the kept one stays.
 * `alone`: nobody but the kept one can be bound beside it. */
long keep_listen(const struct keep_socket *socket, const struct keep_place *place, bool alone,
                 long (*call)(const void *), const void *arguments);

/* A bind of the socket to that place was refused, where nobody could go past what is kept: closes
 * that if nothing else was in the way. Whether it did. */
bool keep_release(const struct keep_socket *socket, const struct keep_place *place);

/* How often such a request may be made again: somebody else may take what was given up. */
enum { KEEP_TRIES_FOR_ROOM = 8 };

/* After a port-0 request that was refused as the range is used up: true where the oldest were given
 * up, so that it can be made again. */
bool keep_make_room(const struct keep_socket *socket);

/* Puts SO_REUSEADDR back, for a call that was left from within; and sets it, for the program has
 * meanwhile. */
void keep_restore(int fd);
void keep_share(int fd);

#endif
