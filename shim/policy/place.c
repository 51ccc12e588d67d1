/* A process looks itself up once, and knows its row from then on. Whoever makes a process gives it
 * its place, as only the maker knows which child it is. */
#include "shim/policy/place.h"

#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "shim/identity.h"
#include "shim/process/sandbox.h"
#include "shim/shared/policy_places.h"
#include "shim/shared/policy_space.h"
#include "shim/shared/recorder.h"

enum {
    TIMEOUT_ROUNDS = 100, /* for a parent that has yet to enter us */
    TIMEOUT_NS = 1000000
};

static _Atomic(struct pw_place *) mine;
static _Atomic uint64_t mine_of; /* the serial of the process that `mine` belongs to */

static _Thread_local uint64_t vfork_place;

static bool is_seeded(void) {
    return policy_config()->kind == PW_POLICY_SEEDED && !sandbox_is_on();
}

static uint64_t child_place(struct pw_place *parent) {
    uint32_t number = 1 + atomic_fetch_add(&parent->children, 1);
    return place_of_child(atomic_load(&parent->place), number);
}

static void pause_shortly(void) {
    const struct timespec pause = {.tv_nsec = TIMEOUT_NS};
    raw_syscall3(SYS_nanosleep, RAW(&pause), 0, 0);
}

/* Nobody has entered us yet: the parent does it as soon as it knows our pid, or has left a place
 * for whoever comes, or has gone past the shim. */
static struct pw_place *find_place(uint64_t key) {
    pid_t parent_pid = (pid_t)raw_syscall3(SYS_getppid, 0, 0, 0);
    for (unsigned round = 0; round < TIMEOUT_ROUNDS; round++) {
        struct pw_place *row = place_find(key);
        struct pw_place *parent = place_find(place_key(parent_pid));
        if (row != NULL && atomic_load_explicit(&row->place, memory_order_acquire) != 0)
            return row;
        uint64_t place = parent != NULL ? atomic_exchange(&parent->next, 0) : 0;
        if (place != 0)
            return place_enter(place, key);
        pause_shortly();
    }
    policy_count(PW_POLICY_UNPLACED);
    struct pw_place *parent = place_find(place_key(parent_pid));
    return place_enter(parent != NULL ? child_place(parent) : place_mix(key), key);
}

static struct pw_place *own_row(void) {
    uint64_t serial = identity_serial();
    struct pw_place *row = atomic_load_explicit(&mine, memory_order_acquire);
    if (row != NULL && atomic_load_explicit(&mine_of, memory_order_acquire) == serial)
        return row;
    uint64_t key = place_key((pid_t)identity_pid_now());
    row = place_find(key);
    if (row == NULL || atomic_load_explicit(&row->place, memory_order_acquire) == 0)
        row = find_place(key);
    atomic_store_explicit(&mine, row, memory_order_release);
    atomic_store_explicit(&mine_of, serial, memory_order_release);
    return row;
}

uint64_t policy_place_request(void) {
    struct pw_place *row = own_row();
    uint64_t number = 1 + atomic_fetch_add(&row->requests, 1);
    return place_mix(place_mix(policy_config()->seed) ^ place_mix(atomic_load(&row->place)) ^
                     number << 1);
}

uint64_t policy_place_next(void) { return is_seeded() ? child_place(own_row()) : 0; }

void policy_place_enter(uint64_t place, pid_t pid) {
    if (place != 0)
        place_enter(place, place_key(pid != 0 ? pid : (pid_t)identity_pid_now()));
}

void policy_place_announce(uint64_t place) {
    if (is_seeded())
        atomic_store(&own_row()->next, place);
}

void policy_place_before_vfork(void) { vfork_place = policy_place_next(); }

void policy_place_enter_vfork_child(void) { policy_place_enter(vfork_place, 0); }

void policy_place_enter_image(void) {
    if (is_seeded())
        own_row();
}

void policy_place_leave(void) {
    struct pw_place *row = is_seeded() ? place_find(place_key((pid_t)identity_pid_now())) : NULL;
    if (row != NULL)
        atomic_store(&row->key, 0);
}
