/*
 * `soonest` loses a race only if both sides are there at once, and a window may be shorter than
 * what lies between two requests. So whoever releases a known number waits a moment for somebody to
 * take it, and that one holds it until the other has asked for it. Each wait is short, and a
 * process that has waited too often without success stops waiting.
 */
#include "shim/policy/policy.h"

#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "shim/identity.h"
#include "shim/process/sandbox.h"
#include "shim/shared/policy_own.h"
#include "shim/shared/recorder.h"

enum {
    STEP_NS = 100000,
    LONG_NS = 150000000, /* the first waits of a process */
    SHORT_NS = 25000000,
    YIELD_NS = 2000000, /* for a dispute, while somebody else waits for us to ask */
    LONG_WAITS_MOST = 4,
    FAILED_WAITS_MOST = 25,
    UNLIKELY = 8 /* after so many numbers that nobody asked for again, none is waited for */
};

static _Atomic int failed_waits_for_taker;
static _Atomic int failed_waits_for_request;

static void pause_shortly(void) {
    const struct timespec pause = {.tv_nsec = STEP_NS};
    raw_syscall3(SYS_nanosleep, RAW(&pause), 0, 0);
}

static struct policy_space *soonest_space(const struct socket_facts *facts) {
    if (policy_config()->kind != PW_POLICY_SOONEST || sandbox_is_on())
        return NULL; /* also where we may not sleep */
    return policy_space_of(facts, false);
}

static void wait_for_taker(struct policy_space *space, uint16_t port, uint32_t stamp,
                           unsigned score) {
    int failed = atomic_load(&failed_waits_for_taker);
    uint64_t end = monotonic_ns() + (failed < LONG_WAITS_MOST ? LONG_NS : SHORT_NS);
    bool taken = false;
    if (failed >= FAILED_WAITS_MOST || !policy_others_ask(space, identity_thread()) ||
        !policy_want(space, port, score))
        return;
    policy_count(PW_POLICY_HELD_OPEN);
    while (!taken && monotonic_ns() < end) {
        if (policy_port_queued(space, port, stamp) && !policy_want_still(space, port, score))
            return; /* two that wait for each other would both wait for nothing */
        pause_shortly();
        taken = policy_port_taken(space, port, stamp);
    }
    policy_want_no_more(space, port);
    atomic_store(&failed_waits_for_taker, taken ? 0 : failed + 1);
}

static void wait_for_asker(const struct socket_facts *facts) {
    struct policy_space *space = soonest_space(facts);
    if (space == NULL || atomic_load(&failed_waits_for_request) >= FAILED_WAITS_MOST)
        return;
    int failed = atomic_load(&failed_waits_for_request);
    uint64_t begin = monotonic_ns(), now = begin,
             most = failed < LONG_WAITS_MOST ? LONG_NS : SHORT_NS;
    while (policy_port_disputed(space, facts->port, facts->cookie)) {
        now = monotonic_ns();
        if (now - begin > YIELD_NS && policy_is_wanted(space))
            return;
        if (now - begin > most) {
            atomic_fetch_add(&failed_waits_for_request, 1);
            return;
        }
        pause_shortly();
    }
    if (now != begin)
        atomic_store(&failed_waits_for_request, 0);
}

void policy_before_release(const struct socket_facts *facts) {
    struct policy_space *space = policy_space_of(facts, false);
    wait_for_asker(facts);
    if (space != NULL)
        policy_port_closing(space, facts->port, facts->cookie);
}

void policy_note_released(const struct socket_facts *facts, uint16_t port) {
    struct policy_space *space = policy_space_of(facts, false);
    uint32_t stamp = 0;
    if (space == NULL || port == 0)
        return;
    bool soonest = policy_config()->kind == PW_POLICY_SOONEST;
    if (soonest && atomic_load(&policy_released_unasked) >= UNLIKELY)
        policy_port_forget(space, port);
    bool was_known = policy_port_released(space, port, facts->cookie, false, &stamp);
    if (stamp != 0)
        policy_own_released(space, port, stamp);
    /* What this process would not be given once more, it does not wait to see taken by itself. */
    bool goes_round = stamp != 0 && policy_own_is_enough(space, port, stamp);
    if (was_known && soonest && !goes_round && !sandbox_is_on())
        wait_for_taker(space, port, stamp, atomic_fetch_add(&policy_released_unasked, 1));
}
