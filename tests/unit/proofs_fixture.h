/* Stories of a port that was given, released and bound by number. The parent is given PORT,
 * releases it, and somebody binds it. Sockets are named by their cookies. */
#ifndef PORTWITNESS_UNIT_PROOFS_FIXTURE_H
#define PORTWITNESS_UNIT_PROOFS_FIXTURE_H

#include "harness/check/held.h"
#include "harness/check/proofs.h"
#include "tests/unit/history_fixture.h"

enum {
    GIVEN = 30, /* the socket that was given the number */
    GIVEN_LATER,
    TAKEN = 40, /* the one bound by number */
    TAKEN_AGAIN,
    TAKEN_ONCE_MORE,
    NAMED = 50,    /* one that had the number before it was given out */
    BETWEEN = 60,  /* one that somebody else had meanwhile */
    STRANGER = 10, /* processes */
    OTHER_STRANGER,
    LATE = 200 /* whoever is started then had time to be told the number */
};

static inline void make_processes(void) {
    starts(0, PARENT, 10);
    forks(PARENT, CHILD, 20);
    starts(0, STRANGER, 30);
}

/* 2 and 3, of 1. */
static inline void make_siblings(void) {
    starts(0, 1, 10);
    forks(1, 2, 20);
    forks(1, 3, 30);
}

/* Whoever binds 20 ns later finds it free. */
static inline void is_assigned_and_releases(uint64_t process, uint64_t cookie, uint64_t at) {
    is_assigned(process, cookie, at);
    releases(process, cookie, at + 10);
}

static inline union pw_unit *binds_udp(uint64_t process, uint64_t cookie, uint64_t at) {
    return bind_socket(SOCK_DGRAM, process, (int)cookie, cookie, at, PORT, PORT);
}

static inline void assert_proves(uint64_t taken, uint64_t given, enum tier tier,
                                 enum certainty how) {
    const struct request *request = &history->requests[of_socket(taken)];

    if (request->proves == MAP_NONE)
        fail_msg("socket %u proves nothing", (unsigned)taken);
    assert_int_equal(history->requests[request->proves].cookie, given);
    assert_int_equal(request->tier, tier);
    assert_int_equal(request->proof_certainty, how);
}

static inline void assert_proves_nothing(uint64_t taken) {
    assert_int_equal(history->requests[of_socket(taken)].proves, MAP_NONE);
}

static inline void assert_proved_by(uint64_t given, unsigned slot, uint64_t taken) {
    uint32_t by = history->requests[of_socket(given)].proved_by[slot];

    assert_int_equal(by, taken == 0 ? MAP_NONE : of_socket(taken));
}

static inline enum certainty release_of(uint64_t taken) {
    return history->requests[of_socket(taken)].release_certainty;
}

#endif
