/*
 * Pids differ from run to run, the shape of the tree does not. So a process is its path from the
 * root, folded to 64 bits, in a table that all share: an exec loses the memory but not the pid.
 */
#include "shim/policy_place.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

#include "shim/policy_space.h"
#include "shim/process.h"
#include "shim/raw_syscall.h"
#include "shim/recorder.h"

enum {
    PROBES = 32,           /* rows that a key may stand in */
    PATIENCE_ROUNDS = 100, /* for a parent that has yet to enter us */
    PATIENCE_NS = 1000000
};

#define ROOT_PLACE UINT64_C(0x706f727477697421)

static _Atomic(struct pw_place *) mine;
static _Atomic uint64_t mine_of; /* the serial of the process that `mine` belongs to */

static _Thread_local uint64_t vfork_place;

/* The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators,
 * 2014): every bit of the input concerns every bit of the result. */
static uint64_t mix(uint64_t x) {
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static bool is_seeded(void) {
    const struct pw_policy_area *area = policy_area();
    return area != NULL && area->config.kind == PW_POLICY_SEEDED;
}

static uint64_t key_of(pid_t pid) {
    struct stat status = {0};
    raw_syscall4(SYS_newfstatat, AT_FDCWD, RAW("/proc/self/ns/pid"), RAW(&status), 0);
    return (uint64_t)status.st_ino << 32 | (uint32_t)pid;
}

static pid_t own_pid(void) { return (pid_t)raw_syscall3(SYS_getpid, 0, 0, 0); }

static struct pw_place *table(void) {
    return (struct pw_place *)(void *)((char *)policy_area() + PW_PLACES_OFFSET);
}

static struct pw_place *find(uint64_t key) {
    uint64_t start = mix(key);
    for (unsigned i = 0; i < PROBES; i++) {
        struct pw_place *row = &table()[(start + i) % PW_PLACES];
        if (atomic_load_explicit(&row->key, memory_order_acquire) == key)
            return row;
    }
    return NULL;
}

static struct pw_place *claim(uint64_t key) {
    struct pw_place *row = find(key);
    uint64_t start = mix(key);
    for (unsigned i = 0; row == NULL && i < PROBES; i++) {
        uint64_t none = 0;
        if (atomic_compare_exchange_strong(&table()[(start + i) % PW_PLACES].key, &none, key))
            row = &table()[(start + i) % PW_PLACES];
    }
    if (row != NULL)
        return row;
    row = &table()[start % PW_PLACES]; /* of a process that was killed, as a rule */
    atomic_store(&row->key, key);
    return row;
}

static struct pw_place *enter(uint64_t place, uint64_t key) {
    struct pw_place *row = claim(key);
    atomic_store(&row->children, 0);
    atomic_store(&row->requests, 0);
    atomic_store(&row->next, 0);
    atomic_store_explicit(&row->place, place, memory_order_release);
    return row;
}

static uint64_t child_place(struct pw_place *parent) {
    uint32_t number = 1 + atomic_fetch_add(&parent->children, 1);
    return mix(atomic_load(&parent->place) ^ mix(number)) | 1;
}

static void pause_shortly(void) {
    const struct timespec pause = {.tv_nsec = PATIENCE_NS};
    raw_syscall3(SYS_nanosleep, RAW(&pause), 0, 0);
}

/* Nobody entered us yet: the parent does it as soon as its call of posix_spawn returns, or has left
 * a place for whoever comes, or has gone past the shim. */
static struct pw_place *find_place(uint64_t key) {
    pid_t parent_pid = (pid_t)raw_syscall3(SYS_getppid, 0, 0, 0);
    if ((uint32_t)parent_pid == recorder_header()->supervisor_pid)
        return enter(ROOT_PLACE, key);
    for (unsigned round = 0; round < PATIENCE_ROUNDS; round++) {
        struct pw_place *row = find(key);
        struct pw_place *parent = find(key_of(parent_pid));
        if (row != NULL && atomic_load_explicit(&row->place, memory_order_acquire) != 0)
            return row;
        uint64_t place = parent != NULL ? atomic_exchange(&parent->next, 0) : 0;
        if (place != 0)
            return enter(place, key);
        pause_shortly();
    }
    policy_count(PW_POLICY_UNPLACED);
    struct pw_place *parent = find(key_of(parent_pid));
    return enter(parent != NULL ? child_place(parent) : mix(key), key);
}

static struct pw_place *own_row(void) {
    uint64_t serial = process_serial();
    struct pw_place *row = atomic_load_explicit(&mine, memory_order_acquire);
    if (row != NULL && atomic_load_explicit(&mine_of, memory_order_acquire) == serial)
        return row;
    uint64_t key = key_of(own_pid());
    row = find(key);
    if (row == NULL || atomic_load_explicit(&row->place, memory_order_acquire) == 0)
        row = find_place(key);
    atomic_store_explicit(&mine, row, memory_order_release);
    atomic_store_explicit(&mine_of, serial, memory_order_release);
    return row;
}

uint64_t policy_place_request(void) {
    struct pw_place *row = own_row();
    uint64_t number = 1 + atomic_fetch_add(&row->requests, 1);
    return mix(mix(policy_area()->config.seed) ^ mix(atomic_load(&row->place)) ^ number << 1);
}

uint16_t policy_place_port(uint64_t request, unsigned attempt, uint16_t low, uint16_t high) {
    uint64_t width = (uint64_t)(high - low) + 1;
    return (uint16_t)(low + mix(request + attempt) % width);
}

uint64_t policy_place_next(void) { return is_seeded() ? child_place(own_row()) : 0; }

void policy_place_enter(uint64_t place, pid_t pid) {
    if (place != 0)
        enter(place, key_of(pid != 0 ? pid : own_pid()));
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
    struct pw_place *row = is_seeded() ? find(key_of(own_pid())) : NULL;
    if (row != NULL)
        atomic_store(&row->key, 0);
}
