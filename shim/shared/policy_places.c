/*
 * Pids differ from run to run, the shape of the tree does not. So a process is its path from the
 * root, folded to 64 bits, in a table that all share: an exec loses the memory but not the pid.
 */
#include "shim/shared/policy_places.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/stat.h>

#include "shim/shared/policy_space.h"
#include "shim/shared/raw_syscall.h"

enum { PROBES = 32 }; /* rows that a key may stand in */

/* The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators,
 * 2014): every bit of the input concerns every bit of the result. */
uint64_t place_mix(uint64_t x) {
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t place_of_child(uint64_t parent, uint32_t number) {
    return place_mix(parent ^ place_mix(number)) | 1;
}

uint16_t place_port(uint64_t sequence, unsigned attempt, uint16_t low, uint16_t high) {
    uint64_t width = (uint64_t)(high - low) + 1;
    return (uint16_t)(low + place_mix(sequence + attempt) % width);
}

uint64_t place_key(pid_t pid) {
    struct stat status = {0};
    raw_syscall4(SYS_newfstatat, AT_FDCWD, RAW("/proc/self/ns/pid"), RAW(&status), 0);
    return (uint64_t)status.st_ino << 32 | (uint32_t)pid;
}

static struct pw_place *table(void) {
    return (struct pw_place *)(void *)((char *)policy_area() + PW_PLACES_OFFSET);
}

struct pw_place *place_find(uint64_t key) {
    uint64_t start = place_mix(key);
    for (unsigned i = 0; i < PROBES; i++) {
        struct pw_place *row = &table()[(start + i) % PW_PLACES];
        if (atomic_load_explicit(&row->key, memory_order_acquire) == key)
            return row;
    }
    return NULL;
}

static struct pw_place *claim(uint64_t key) {
    struct pw_place *row = place_find(key);
    uint64_t start = place_mix(key);
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

struct pw_place *place_enter(uint64_t place, uint64_t key) {
    struct pw_place *row = claim(key);
    atomic_store(&row->children, 0);
    atomic_store(&row->requests, 0);
    atomic_store(&row->next, 0);
    atomic_store_explicit(&row->place, place, memory_order_release);
    return row;
}
