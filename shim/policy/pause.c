/*
 * `soonest` loses a race only if both sides are there at once, and a window may be shorter than
 * what lies between two requests. A bind by number is what shows that somebody wants a port back,
 * however it was released. So it waits a moment until somebody who asks for any port was given that
 * one, and who was given it keeps it until the bind was answered. Nobody waits where nobody else
 * asks, and what is waited for nobody is bounded for the whole run.
 */
#include "shim/policy/policy.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <time.h>

#include "shim/identity.h"
#include "shim/process/sandbox.h"
#include "shim/shared/policy_own.h"
#include "shim/shared/port_table.h"
#include "shim/shared/recorder.h"

enum {
    STEP_NS = 100000,
    KEPT_MS = 50, /* who has a port that another may want back has it so long at least */
    KEPT_SHORTLY_MS = 8,
    KEPT_LONG_MOST = 3, /* in a row in vain */
    HELD_LONG_MS = 1000 /* whoever wanted it back had the time */
};

#define WAIT_NS UINT64_C(150000000)
#define PIECE_NS UINT64_C(2000000)
#define LOOK_NS_MOST UINT64_C(10000000)
#define KEPT_NS_MOST (PW_POLICY_VAIN_NS_MOST / 2) /* the rest is for binds */

static void pause_shortly(void) {
    const struct timespec pause = {.tv_nsec = STEP_NS};
    raw_syscall3(SYS_nanosleep, RAW(&pause), 0, 0);
}

/* One wait. Its time is taken from the run's in small pieces, so that a thread that is killed in
 * it, or leaves it by a jump, takes no more than it has waited. Where the machine stands still, a
 * stopped virtual machine for one, whoever is waited for stands still as well: of the time between
 * two looks no more counts than a loaded scheduler takes. */
struct patience {
    uint64_t looked; /* when, last */
    uint64_t waited; /* nanoseconds */
    uint64_t wanted;
    uint64_t most; /* that all waits of the run may have taken for it to go on */
    uint64_t taken;
};

static _Atomic uint64_t *vain(void) { return &policy_area()->count[PW_POLICY_VAIN_NS]; }

static struct patience patience_of(uint64_t wanted_ns, uint64_t most_ns) {
    return (struct patience){.looked = monotonic_ns(), .wanted = wanted_ns, .most = most_ns};
}

static void look_at_clock(struct patience *patience) {
    uint64_t now = monotonic_ns(), passed = now - patience->looked;
    patience->waited += passed < LOOK_NS_MOST ? passed : LOOK_NS_MOST;
    patience->looked = now;
}

static bool is_patient(struct patience *patience) {
    look_at_clock(patience);
    if (policy_area() == NULL || patience->waited >= patience->wanted)
        return false;
    if (patience->waited < patience->taken)
        return true;
    if (atomic_load(vain()) + PIECE_NS > patience->most)
        return false;
    atomic_fetch_add(vain(), PIECE_NS);
    patience->taken += PIECE_NS;
    return true;
}

/* Nothing was waited in vain where somebody came. */
static void end_patience(struct patience *patience, bool in_vain) {
    look_at_clock(patience);
    uint64_t waited = in_vain ? patience->waited : 0;
    if (waited < patience->taken)
        atomic_fetch_sub(vain(), patience->taken - waited);
}

static bool is_soonest(void) {
    /* Not where we may not sleep. */
    return policy_config()->kind == PW_POLICY_SOONEST && !sandbox_is_on();
}

/* Whoever has the port already, nobody else will be given it: the bind would wait for nothing. */
static bool is_held(const struct socket_facts *facts, const struct ip_endpoint *wanted) {
    struct port_rows rows = {.count = 0};
    long memory = raw_syscall6(SYS_mmap, 0, PORT_TABLE_BYTES, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory < 0 && memory > -4096)
        return true;
    const struct port_question question = socket_port_question(facts, wanted);
    bool answered = port_table_ask(&question, (char *)memory, &rows);
    raw_syscall3(SYS_munmap, memory, PORT_TABLE_BYTES, 0);
    return answered && rows.count > 0;
}

/* Until the port is taken; not at all where it is held already. That is looked at once the wait is
 * entered, so that whoever comes in between is seen in one way or the other. */
static void wait_for_taker(const struct socket_facts *facts, const struct ip_endpoint *wanted,
                           const struct policy_wait *wait) {
    if (is_held(facts, wanted))
        return;
    struct patience patience = patience_of(WAIT_NS, PW_POLICY_VAIN_NS_MOST);
    while (!policy_wait_is_over(wait) && is_patient(&patience))
        pause_shortly();
    end_patience(&patience, !policy_wait_is_over(wait));
    if (patience.taken > 0)
        policy_count(PW_POLICY_WAITED);
}

bool policy_before_bind(const struct socket_facts *facts, const struct ip_endpoint *wanted,
                        struct policy_wait *wait) {
    wait->waiter = NULL;
    if (!is_soonest() || wanted->family == 0 || wanted->port == 0)
        return false;
    struct policy_space *space = policy_space_of(facts, false);
    uint32_t thread = identity_thread();
    if (space == NULL || !policy_port_was_seen(space, wanted->port) ||
        !policy_others_ask(space, thread, wanted->port) ||
        !policy_wait_begin(space, wanted->port, thread, policy_reach_of(facts, wanted), wait))
        return false;
    wait_for_taker(facts, wanted, wait);
    return true;
}

static void wait_for_answer(const struct policy_space *space, uint16_t port) {
    if (!policy_is_awaited(space, port))
        return;
    struct patience patience = patience_of(WAIT_NS, PW_POLICY_VAIN_NS_MOST);
    while (policy_is_awaited(space, port) && is_patient(&patience))
        pause_shortly();
    end_patience(&patience, policy_is_awaited(space, port));
}

/* Somebody may want the port back who has not asked yet. Where nobody binds by number, as in a run
 * that only asks for ports, it is kept for a moment only. */
static void wait_for_bind(struct policy_space *space, uint16_t port, uint64_t cookie) {
    uint32_t held = policy_port_held_ms(space, port);
    uint32_t most = policy_kept_for_nobody(space, 0) < KEPT_LONG_MOST ? KEPT_MS : KEPT_SHORTLY_MS;
    if (held >= HELD_LONG_MS || !policy_port_disputed(space, port, cookie))
        return;
    /* A machine that stood still since has used up the time of the other one as well. */
    uint32_t left = held + KEPT_SHORTLY_MS < most ? most - held : KEPT_SHORTLY_MS;
    struct patience patience = patience_of(left * UINT64_C(1000000), KEPT_NS_MOST);
    while (policy_port_disputed(space, port, cookie) && is_patient(&patience))
        pause_shortly();
    bool in_vain = policy_port_disputed(space, port, cookie);
    end_patience(&patience, in_vain);
    policy_kept_for_nobody(space, in_vain);
}

/* Waits for whoever may be in the way of us as long as we have the port. */
static void wait_to_release(struct policy_space *space, const struct socket_facts *facts) {
    if (space == NULL || facts->port == 0)
        return;
    wait_for_answer(space, facts->port);
    wait_for_bind(space, facts->port, facts->cookie);
}

void policy_before_end(void) {
    struct socket_facts facts;
    if (!policy_on || !is_soonest())
        return;
    int limit = descriptor_limit();
    for (int fd = 0; fd < limit; fd++)
        if (descriptor_copy(fd, &facts))
            wait_to_release(policy_space_of(&facts, false), &facts);
}

void policy_before_release(const struct socket_facts *facts) {
    struct policy_space *space = policy_space_of(facts, false);
    if (is_soonest())
        wait_to_release(space, facts);
    if (space != NULL)
        policy_port_closing(space, facts->port, facts->cookie);
}

void policy_note_released(const struct socket_facts *facts, uint16_t port) {
    struct policy_space *space = policy_space_of(facts, false);
    if (space == NULL || port == 0)
        return;
    /* A number that a program picked by binding it, 8000 for one, is given to nobody for port 0. */
    if (policy_config()->kind == PW_POLICY_SOONEST && !policy_space_has(space, port))
        policy_count(PW_POLICY_UNGIVABLE);
    uint32_t stamp = policy_port_released(space, port, facts->cookie);
    if (stamp != 0)
        policy_own_released(space, port, stamp, identity_thread());
}
