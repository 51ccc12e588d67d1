/* Who has a port still, as far as is on record. */
#ifndef PORTWITNESS_CHECK_HELD_H
#define PORTWITNESS_CHECK_HELD_H

#include "harness/check/history.h"

enum release {
    RELEASE_NOT_SEEN, /* as far as is known the socket had its port still */
    RELEASE_POSSIBLE, /* it seems to have been released before */
    RELEASE_CERTAIN
};

/* Had the binding released its port before `ns`? */
enum release held_released(const struct history *history, uint32_t binding, uint64_t ns);

/* Had `later` the port after `earlier`, which it cannot share it with? */
bool held_supersedes(const struct history *history, uint32_t later, uint32_t earlier);

/* Numbers of bindings. Zero-initialized there are none; `list` is to be freed. */
struct indexes {
    uint32_t *list; /* of bindings */
    size_t count;
    size_t room;
};

void indexes_append(struct indexes *indexes, uint32_t index);

/* Notes a binding of a port that went well; `held` has those that may have that port still.
 * Bindings of one port are noted in the order of their begin. */
void held_note(struct indexes *held, const struct history *history, uint32_t newcomer);

/* Why somebody binds a number now, other than that it was given to him for port 0 before: a socket
 * that the process itself has, or an ancestor, or, where both share the port, a descendant. A child
 * that was given the port has told nobody: it is one that may have taken it. */
struct known_from {
    uint32_t holder; /* MAP_NONE: there is none */
    bool is_own;     /* the same thread asked for it as binds now */
};

struct known_from held_explain(struct indexes *held, const struct history *history,
                               uint32_t attempt);

#endif
