/*
 * To tell whose code a file is takes some thousand instructions, and so does the interpreter's way
 * from an instruction to its line, for which it decodes the function's table up to there. Both
 * follow from texts alone. Those are compared by the 64 bits of hash that the interpreter keeps
 * with each; the trace names them by no more.
 */
#include "shim/frames/python_facts.h"
#include "shim/shared/rarely_touched.h"

#include <stdatomic.h>
#include <stddef.h>

enum { FACTS = 256 };

RARELY_TOUCHED static struct python_facts {
    struct fact {
        uint64_t one, other, value;
        enum python_fact kind; /* 0: none */
    } fact[FACTS];
} facts;

/* Several interpreters of a process may run at the same time, and a free-threaded one in several
 * threads. Nobody waits. */
static _Atomic bool is_taken;

struct python_facts *python_facts_take(void) {
    return atomic_exchange_explicit(&is_taken, true, memory_order_acquire) ? NULL : &facts;
}

void python_facts_give(struct python_facts *given) {
    if (given != NULL)
        atomic_store_explicit(&is_taken, false, memory_order_release);
}

static size_t slot_of(enum python_fact kind, uint64_t one, uint64_t other) {
    uint64_t mixed = (one ^ other * UINT64_C(0x9e3779b97f4a7c15)) + (uint64_t)kind;
    return (size_t)(mixed * UINT64_C(0x9e3779b97f4a7c15) >> 32) % FACTS;
}

bool python_fact_known(const struct python_facts *here, enum python_fact kind, uint64_t one,
                       uint64_t other, uint64_t *value) {
    if (here == NULL || one == 0 || other == 0)
        return false;
    const struct fact *fact = &here->fact[slot_of(kind, one, other)];
    if (fact->kind != kind || fact->one != one || fact->other != other)
        return false;
    *value = fact->value;
    return true;
}

void python_fact_remember(struct python_facts *here, enum python_fact kind, uint64_t one,
                          uint64_t other, uint64_t value) {
    if (here != NULL && one != 0 && other != 0)
        here->fact[slot_of(kind, one, other)] = (struct fact){one, other, value, kind};
}
