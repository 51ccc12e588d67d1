/*
 * The area of a trace that the policy `keep` uses: what the keeper, a process of `run`, holds, and
 * what it is asked for. It stands in the policies' area, behind its fixed part. Guests may be
 * killed at any instruction, and may write anything into it: the keeper believes none of it without
 * a check, and a guest waits for nothing without a bound.
 */
#ifndef PORTWITNESS_SHARED_KEEP_FORMAT_H
#define PORTWITNESS_SHARED_KEEP_FORMAT_H

#include <stdatomic.h>
#include <stdint.h>

#include "shim/shared/policy_format.h"

enum { PW_KEEP_SLOTS = 256, PW_KEEP_WORDS = PW_KEEP_SLOTS / 64, PW_KEEP_PORTS = 65536 };

enum pw_keep_state {
    PW_KEEP_NONE = 0,   /* there is no keeper yet */
    PW_KEEP_WORKS = 1,  /* it answers */
    PW_KEEP_SILENT = 2, /* it let somebody wait in vain, and has not worked since */
    PW_KEEP_GONE = 3    /* it has ended: nothing is kept any more */
};

/* What was done, each a counter in pw_keep_area.count. */
enum pw_keep_count {
    PW_KEEP_KEPT = 0,       /* ports that were kept */
    PW_KEEP_HANDED = 1,     /* kept ports that were bound by number in the run */
    PW_KEEP_EXPIRED = 2,    /* ports kept for their time, and bound by nobody */
    PW_KEEP_GIVEN_UP = 3,   /* the oldest, given up to make room */
    PW_KEEP_REFUSED = 4,    /* binds by number of programs that it does not reach, refused by it */
    PW_KEEP_NOT_KEPT = 5,   /* other sockets whose port could not be kept */
    PW_KEEP_UNANSWERED = 6, /* questions that the keeper did not answer in time */
    PW_KEEP_ENDED = 7,      /* the keeper ended before the command did */
    PW_KEEP_COUNTS = 8
};

/* A slot's word is a stage in its lowest byte, and above it a number that grows by one with each
 * use, so that nobody takes the answer to another question for the one to its own. */
enum pw_keep_stage {
    PW_KEEP_FREE = 0,
    PW_KEEP_FILLING = 1,
    PW_KEEP_ASKED = 2,
    PW_KEEP_WORKING = 3,
    PW_KEEP_ANSWERED = 4,
    PW_KEEP_LEFT = 5 /* nobody waits for the answer any more; the keeper frees the slot */
};
#define PW_KEEP_STAGE(word) ((word)&0xffu)
#define PW_KEEP_AT(word, stage) (((word) & ~0xffu) | (uint32_t)(stage))

enum pw_keep_what {
    PW_KEEP_TAKE = 1,      /* keep this address and port, which a socket of the asker's has */
    PW_KEEP_CLOSE = 2,     /* close what is kept at it */
    PW_KEEP_SHARE = 3,     /* let a socket that shares its port bind beside the kept one */
    PW_KEEP_ALONE = 4,     /* ... and no longer */
    PW_KEEP_MAKE_ROOM = 5, /* the port range is used up: give up the oldest of it, if it is */
    PW_KEEP_LOOK = 6       /* who is in the way of a bind there */
};

/* Of PW_KEEP_LOOK: YES, nobody but the kept socket; NO, that is not known. UNHEARD stands in no
 * slot: nobody has answered. */
enum pw_keep_answer { PW_KEEP_NO = 0, PW_KEEP_YES = 1, PW_KEEP_OTHERS = 2, PW_KEEP_UNHEARD = 3 };

struct pw_keep_slot {
    _Alignas(64) _Atomic uint32_t word; /* a futex */
    _Atomic uint32_t what; /* enum pw_keep_what, family << 8, is UDP << 16, IPV6_V6ONLY << 17,
                              SO_REUSEPORT << 18 */
    _Atomic uint32_t port;
    _Atomic uint32_t scope;
    _Atomic uint32_t device;
    _Atomic uint32_t answer; /* enum pw_keep_answer */
    _Atomic uint64_t address[2];
    _Atomic uint64_t check; /* over all before it and the word: the slot was filled by one thread */
};

struct pw_keep_area {
    uint64_t netns;         /* SO_NETNS_COOKIE of `run`: no other namespace's ports are kept */
    uint32_t uid;           /* of the kept sockets */
    _Atomic uint32_t state; /* enum pw_keep_state */
    _Atomic uint32_t bell;  /* a futex: grows with each question */
    _Atomic uint32_t mute;  /* somebody asks who may make no system call, and so rings no bell */
    _Atomic uint64_t asked[PW_KEEP_WORDS]; /* a bit for each slot with a question */
    _Alignas(64) _Atomic uint64_t count[PW_KEEP_COUNTS];
    struct pw_keep_slot slot[PW_KEEP_SLOTS];
    /* TCP, UDP: by port, the lower half of the kept socket's SO_COOKIE; 0: none is kept. */
    _Atomic uint32_t kept[2][PW_KEEP_PORTS];
};

#define PW_KEEP_OFFSET PW_PLACES_OFFSET

_Static_assert(sizeof(struct pw_keep_area) <= PW_POLICY_SIZE - PW_KEEP_OFFSET, "it fits");

#endif
