/* A bit for each number, in this process's own memory: what others let go is no matter here. */
#include "shim/policy_own.h"

#include <stdatomic.h>
#include <stddef.h>

enum { IN_A_ROW_MOST = 2 };

static _Atomic uint64_t released[2][65536 / 64]; /* TCP, UDP */
static _Atomic unsigned in_a_row;

static _Atomic uint64_t *word_of(const struct policy_space *space, uint16_t port) {
    return &released[space->key & 1][port / 64];
}

static uint64_t bit_of(uint16_t port) { return UINT64_C(1) << port % 64; }

void policy_own_released(const struct policy_space *space, uint16_t port) {
    atomic_fetch_or_explicit(word_of(space, port), bit_of(port), memory_order_relaxed);
}

bool policy_own_has(const struct policy_space *space, uint16_t port) {
    return (atomic_load_explicit(word_of(space, port), memory_order_relaxed) & bit_of(port)) != 0;
}

void policy_own_given(const struct policy_space *space, uint16_t port) {
    if (port != 0 && policy_own_has(space, port))
        atomic_fetch_add_explicit(&in_a_row, 1, memory_order_relaxed);
    else
        atomic_store_explicit(&in_a_row, 0, memory_order_relaxed);
}

bool policy_own_is_enough(void) {
    return atomic_load_explicit(&in_a_row, memory_order_relaxed) >= IN_A_ROW_MOST;
}
