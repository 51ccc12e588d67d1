/* The live sockets that the trace knows, by cookie. */
#ifndef PORTWITNESS_RUN_COOKIE_SET_H
#define PORTWITNESS_RUN_COOKIE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialized it is empty. */
struct cookie_set {
    uint64_t *slots; /* 0: free */
    uint8_t *bits;   /* of each, as cookie_set_mark left them */
    uint16_t *ports; /* ... and the port, 0: not known */
    size_t room;     /* a power of two */
    size_t used;
};

/* Adds a cookie (not 0). Without memory it is left out. */
void cookie_set_add(struct cookie_set *set, uint64_t cookie);

/* Is the cookie in? */
bool cookie_set_has(const struct cookie_set *set, uint64_t cookie);

/* Adds a cookie, bits to those that it has, and its port, unless that is 0. */
void cookie_set_mark(struct cookie_set *set, uint64_t cookie, unsigned bits, uint16_t port);

/* The port of a cookie; 0 where it is not known. */
uint16_t cookie_set_port(const struct cookie_set *set, uint64_t cookie);

/* The bits of a cookie; 0 where it is not in. */
unsigned cookie_set_bits(const struct cookie_set *set, uint64_t cookie);

/* Takes a cookie out. false if it was not in. */
bool cookie_set_take(struct cookie_set *set, uint64_t cookie);

/* Frees what the set holds; it is empty then. */
void cookie_set_free(struct cookie_set *set);

#endif
