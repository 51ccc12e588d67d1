/*
 * `soonest` loses a race only if both sides are there at once, and a window may be shorter than
 * what lies between two requests. A bind by number is what shows that somebody wants a port back,
 * however it was released. So it waits a moment until somebody who asks for any port was given that
 * one, and who was given it keeps it until the bind was answered. Nobody waits where nobody else
 * asks, and what is waited for nobody is bounded for the whole run.
 */
#include "shim/policy/policy.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <time.h>

#include "shim/gate.h"
#include "shim/identity.h"
#include "shim/process/sandbox.h"
#include "shim/shared/policy_own.h"
#include "shim/shared/recorder.h"
#include "shim/socket/port_table.h"

enum {
    STEP_NS = 100000,
    DISPUTE_MS = 50, /* who has a port that another may want back has it so long at least */
    UNLIKELY = 8     /* after so many numbers that nobody asked for again */
};

#define WAIT_NS UINT64_C(150000000)
#define DISPUTES_NS_MOST (PW_POLICY_VAIN_NS_MOST / 4) /* the rest is for binds */

static void pause_shortly(void) {
    const struct timespec pause = {.tv_nsec = STEP_NS};
    raw_syscall3(SYS_nanosleep, RAW(&pause), 0, 0);
}

/* One wait, and what is set aside for it of the run's time. */
struct patience {
    uint64_t begin;
    uint64_t granted; /* nanoseconds; 0: none is left */
};

static struct patience begin_patience(uint64_t wanted, uint64_t most) {
    struct pw_policy_area *area = policy_area();
    struct patience patience = {.begin = monotonic_ns()};
    uint64_t used = area != NULL ? atomic_load(&area->count[PW_POLICY_VAIN_NS]) : most;
    do
        patience.granted = used >= most ? 0 : wanted < most - used ? wanted : most - used;
    while (patience.granted != 0 && !atomic_compare_exchange_weak(&area->count[PW_POLICY_VAIN_NS],
                                                                  &used, used + patience.granted));
    return patience;
}

static bool is_patient(const struct patience *patience) {
    return monotonic_ns() - patience->begin < patience->granted;
}

/* What was not used up comes back, and all of it where the wait was not in vain. */
static void end_patience(const struct patience *patience, bool in_vain) {
    uint64_t spent = in_vain ? monotonic_ns() - patience->begin : 0;
    if (spent < patience->granted)
        atomic_fetch_sub(&policy_area()->count[PW_POLICY_VAIN_NS], patience->granted - spent);
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
    bool answered = port_table_ask(facts, wanted, (char *)memory, &rows);
    raw_syscall3(SYS_munmap, memory, PORT_TABLE_BYTES, 0);
    return answered && rows.count > 0;
}

static uint64_t reach_of(const struct socket_facts *facts, const struct ip_endpoint *endpoint) {
    return policy_reach(endpoint->address, (facts->flags & PW_FLAG_V6ONLY) == 0);
}

/* Until the port is taken; not at all where it is held already. That is looked at once the wait is
 * entered, so that whoever comes in between is seen in one way or the other. */
static void wait_for_taker(const struct socket_facts *facts, const struct ip_endpoint *wanted,
                           const struct policy_wait *wait) {
    if (is_held(facts, wanted))
        return;
    struct patience patience = begin_patience(WAIT_NS, PW_POLICY_VAIN_NS_MOST);
    if (patience.granted == 0)
        return;
    while (!policy_wait_is_over(wait) && is_patient(&patience))
        pause_shortly();
    end_patience(&patience, !policy_wait_is_over(wait));
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
        !policy_wait_begin(space, wanted->port, thread, reach_of(facts, wanted), wait))
        return false;
    wait_for_taker(facts, wanted, wait);
    return true;
}

static void wait_for_answer(const struct policy_space *space, uint16_t port) {
    if (!policy_is_awaited(space, port))
        return;
    struct patience patience = begin_patience(WAIT_NS, PW_POLICY_VAIN_NS_MOST);
    while (policy_is_awaited(space, port) && is_patient(&patience))
        pause_shortly();
    end_patience(&patience, policy_is_awaited(space, port));
}

/* Somebody may want the port back who has not asked yet. */
static void wait_for_bind(const struct policy_space *space, uint16_t port, uint64_t cookie) {
    uint32_t held = policy_port_held_ms(space, port);
    if (held >= DISPUTE_MS || !policy_port_disputed(space, port, cookie))
        return;
    struct patience patience =
        begin_patience((DISPUTE_MS - held) * UINT64_C(1000000), DISPUTES_NS_MOST);
    while (policy_port_disputed(space, port, cookie) && is_patient(&patience))
        pause_shortly();
    end_patience(&patience, policy_port_disputed(space, port, cookie));
}

/* Waits for whoever may be in the way of us as long as we have the port. */
static void wait_to_release(const struct socket_facts *facts) {
    const struct policy_space *space = policy_space_of(facts, false);
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
            wait_to_release(&facts);
}

void policy_before_release(const struct socket_facts *facts) {
    struct policy_space *space = policy_space_of(facts, false);
    if (is_soonest())
        wait_to_release(facts);
    if (space != NULL)
        policy_port_closing(space, facts->port, facts->cookie);
}

void policy_note_released(const struct socket_facts *facts, uint16_t port) {
    struct policy_space *space = policy_space_of(facts, false);
    if (space == NULL || port == 0)
        return;
    bool soonest = policy_config()->kind == PW_POLICY_SOONEST;
    if (soonest && atomic_fetch_add(&policy_released_unasked, 1) >= UNLIKELY)
        policy_port_forget(space, port);
    uint32_t stamp = policy_port_released(space, port, facts->cookie);
    if (stamp != 0)
        policy_own_released(space, port, stamp, identity_thread());
}
