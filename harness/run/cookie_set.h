/* The live sockets that the trace knows, by cookie. */
#ifndef PORTWITNESS_RUN_COOKIE_SET_H
#define PORTWITNESS_RUN_COOKIE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialized it is empty. */
struct cookie_set {
    uint64_t *slots; /* 0: free */
    size_t room;     /* a power of two */
    size_t used;
};

/* Adds a cookie (not 0). Without memory it is left out. */
void cookie_set_add(struct cookie_set *set, uint64_t cookie);

/* Is the cookie in? */
bool cookie_set_has(const struct cookie_set *set, uint64_t cookie);

/* Takes a cookie out. false if it was not in. */
bool cookie_set_take(struct cookie_set *set, uint64_t cookie);

/* Frees what the set holds; it is empty then. */
void cookie_set_free(struct cookie_set *set);

#endif
