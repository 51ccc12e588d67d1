/* Port 0 may give a UDP socket a number that another one has, if both set a reuse option: now and
 * then, in a range that is nearly full. `soonest` does it whenever it can, so that it shows. */
#include "shim/shared/policy_space.h"

#include <stdatomic.h>

enum { OPTIONS_SHIFT = 16 };

#define OPTIONS (PW_FLAG_REUSEADDR | PW_FLAG_REUSEPORT)

void policy_note_shareable(struct policy_space *space, uint16_t port, uint64_t options) {
    uint32_t word = port | (uint32_t)(options & OPTIONS) << OPTIONS_SHIFT;
    if ((options & OPTIONS) != 0)
        atomic_store_explicit(&space->words->shared, word, memory_order_relaxed);
}

uint16_t policy_shareable(const struct policy_space *space, uint64_t options) {
    uint32_t word = atomic_load_explicit(&space->words->shared, memory_order_relaxed);
    uint16_t port = (uint16_t)word;
    bool fits = (word >> OPTIONS_SHIFT & options & OPTIONS) != 0;
    return fits && policy_port_held_ms(space, port) != UINT32_MAX ? port : 0;
}
