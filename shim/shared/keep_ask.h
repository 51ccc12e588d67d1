/* Questions to the keeper of `run --policy keep`; from the shim, and from `run` in the place of a
 * program that the shim is not in. Async-signal-safe; allocates nothing, opens no descriptor. */
#ifndef PORTWITNESS_SHARED_KEEP_ASK_H
#define PORTWITNESS_SHARED_KEEP_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/shared/keep_format.h"

struct keep_question {
    enum pw_keep_what what;
    uint16_t port;
    uint16_t family;     /* AF_INET, AF_INET6: of the socket */
    uint8_t address[16]; /* IPv4 mapped */
    uint32_t scope;      /* of PW_KEEP_MAKE_ROOM: the socket's own IP_LOCAL_PORT_RANGE, 0: none; of
                            PW_KEEP_LOOK: the lower half of the asker's SO_COOKIE */
    uint32_t device;     /* that the socket is bound to, 0: none */
    bool is_udp;
    bool only_v6;
    bool may_join; /* SO_REUSEPORT is on, and the socket is of the keeper's user */
};

/* The area of the attached trace; NULL where the run's policy is not `keep`. */
struct pw_keep_area *keep_area(void);

/* The lower half of the cookie of the socket that is kept at the port; 0: none, or the keeper has
 * ended. */
uint32_t keep_cookie(bool is_udp, uint16_t port);

/* Whether any were given up to make room for others. */
bool keep_is_crowded(void);

/* Of the user whose the kept sockets are. */
uint32_t keep_uid(void);

void keep_count(enum pw_keep_count what);

/* Asks, and waits for the answer: for 0.2 seconds in which the machine ran at most; not at all for
 * PW_KEEP_TAKE from a keeper that let somebody wait before. PW_KEEP_UNHEARD where none came. errno
 * is left alone. */
enum pw_keep_answer keep_ask(const struct keep_question *question);

/* Some guest will soon be able to ring no bell. */
void keep_expect_mute(void);

/* What stands in a slot, over which its `check` goes. */
uint64_t keep_check(const struct pw_keep_slot *slot, uint32_t word);

#endif
