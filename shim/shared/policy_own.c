/* The latest numbers, in this process's own memory. A stamp shows whether another process has
 * released the port in between: each release has a stamp of its own. */
#include "shim/shared/policy_own.h"
#include "shim/shared/rarely_touched.h"

#include <stdatomic.h>
#include <stddef.h>

enum { IN_A_ROW_MOST = 2, REMEMBERED = 4096 };

struct own {
    _Atomic uint32_t port; /* and, in the higher half, how often in a row */
    _Atomic uint32_t stamp;
    _Atomic uint32_t thread; /* that released it */
};

RARELY_TOUCHED static struct own latest[2][REMEMBERED]; /* TCP, UDP */

#define LOAD(word) atomic_load_explicit(&(word), memory_order_relaxed)
#define STORE(word, value) atomic_store_explicit(&(word), (value), memory_order_relaxed)

static struct own *own_of(const struct policy_space *space, uint16_t port) {
    return &latest[space->key & 1][port % REMEMBERED];
}

void policy_own_released(const struct policy_space *space, uint16_t port, uint32_t stamp,
                         uint32_t thread) {
    struct own *own = own_of(space, port);
    if ((uint16_t)LOAD(own->port) != port)
        STORE(own->port, port);
    STORE(own->thread, thread);
    STORE(own->stamp, stamp);
}

bool policy_own_is_of_thread(const struct policy_space *space, uint16_t port, uint32_t stamp,
                             uint32_t thread) {
    const struct own *own = own_of(space, port);
    return (uint16_t)LOAD(own->port) == port && LOAD(own->stamp) == stamp &&
           LOAD(own->thread) == thread;
}

bool policy_own_is_enough(const struct policy_space *space, uint16_t port, uint32_t stamp,
                          uint32_t thread) {
    return policy_own_is_of_thread(space, port, stamp, thread) &&
           LOAD(own_of(space, port)->port) >> 16 >= IN_A_ROW_MOST;
}

void policy_own_restart(const struct policy_space *space, uint16_t port) {
    struct own *own = own_of(space, port);
    if ((uint16_t)LOAD(own->port) == port)
        STORE(own->port, port);
}

void policy_own_given(const struct policy_space *space, uint16_t port, uint32_t stamp,
                      uint32_t thread) {
    struct own *own = own_of(space, port);
    uint32_t word = LOAD(own->port);
    if ((uint16_t)word != port)
        return;
    if (!policy_own_is_of_thread(space, port, stamp, thread))
        STORE(own->port, port); /* from somebody else: from the beginning */
    else if (word >> 16 < IN_A_ROW_MOST)
        STORE(own->port, word + (1u << 16));
}
