/*
 * A place is one word: the port in the lowest 16 bits, whether it is taken in the next, 25 bits of
 * the millisecond when it was entered, and the thread, of which there are at most 2^22 (proc(5),
 * pid_max). A thread waits for much less than LEFT_MS, so what is older was left behind.
 */
#include "shim/shared/policy_waiters.h"

#include <stddef.h>
#include <string.h>

#include "shim/shared/recorder.h"

enum { ASKED_LATELY_MS = 1000, LEFT_MS = 1000 };

#define LOAD(word) atomic_load_explicit(&(word), memory_order_acquire)
#define STORE(word, value) atomic_store_explicit(&(word), (value), memory_order_release)

#define TAKEN UINT64_C(0x10000)
#define TIME_MASK 0x1ffffffu
#define THREAD_MASK 0x3fffffu
#define WORD(port, ms, thread)                                                                     \
    ((uint64_t)((thread)&THREAD_MASK) << 42 | (uint64_t)((ms)&TIME_MASK) << 17 | (uint64_t)(port))
#define PORT_OF(word) ((uint16_t)(word))
#define TIME_OF(word) ((uint32_t)((word) >> 17) & TIME_MASK)
#define THREAD_OF(word) ((uint32_t)((word) >> 42))

/* An asker's: the port that it was given, whether it has asked before, and again time and thread.
 */
#define AGAIN TAKEN

/* Of a reach: the families, and what tells two addresses of one apart, 0 for a wildcard. */
#define REACH_V4 (UINT64_C(1) << 32)
#define REACH_V6 (UINT64_C(2) << 32)
#define REACH_FAMILIES (REACH_V4 | REACH_V6)

static uint32_t now_ms(void) { return (uint32_t)(monotonic_ns() / 1000000); }

uint64_t policy_reach(const uint8_t address[16], bool is_dual) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    uint32_t code = 0;
    if (memcmp(address, mapped, sizeof mapped) == 0) {
        memcpy(&code, address + 12, sizeof code);
        return REACH_V4 | code;
    }
    for (unsigned i = 0; i < 16; i += 4) {
        uint32_t part;
        memcpy(&part, address + i, sizeof part);
        code = (code ^ part) * 0x9e3779b1u;
    }
    /* Two addresses of one code are taken for the same: the kernel decides. */
    return code == 0 && is_dual ? REACH_FAMILIES : REACH_V6 | code;
}

static bool meets(uint64_t one, uint64_t other) {
    uint32_t code = (uint32_t)one, other_code = (uint32_t)other;
    return (one & other & REACH_FAMILIES) != 0 &&
           (code == 0 || other_code == 0 || code == other_code);
}

static uint32_t age_ms(uint64_t word, uint32_t now) { return (now - TIME_OF(word)) & TIME_MASK; }

static bool is_of(uint64_t word, uint32_t thread) {
    return word != 0 && THREAD_OF(word) == (thread & THREAD_MASK);
}

static bool is_present(uint64_t word, uint32_t now) {
    return word != 0 && age_ms(word, now) < LEFT_MS;
}

bool policy_wait_begin(struct policy_space *space, uint16_t port, uint32_t thread, uint64_t reach,
                       struct policy_wait *wait) {
    uint32_t now = now_ms();
    for (unsigned i = 0; i < PW_POLICY_WAITERS; i++) {
        struct pw_policy_waiter *waiter = &space->words->waiter[i];
        uint64_t before = LOAD(waiter->word);
        uint64_t word = WORD(port, now, thread);
        if (is_present(before, now) ||
            !atomic_compare_exchange_strong(&waiter->word, &before, word))
            continue;
        STORE(waiter->reach, reach);
        *wait = (struct policy_wait){waiter, word};
        return true;
    }
    wait->waiter = NULL;
    return false;
}

bool policy_wait_is_over(const struct policy_wait *wait) {
    return LOAD(wait->waiter->word) != wait->word;
}

void policy_wait_end(struct policy_wait *wait) {
    if (wait->waiter == NULL)
        return;
    uint64_t word = LOAD(wait->waiter->word);
    if ((word & ~TAKEN) == wait->word)
        atomic_compare_exchange_strong(&wait->waiter->word, &word, 0);
    wait->waiter = NULL;
}

uint16_t policy_wanted(const struct policy_space *space, uint64_t reach, uint16_t avoid,
                       unsigned *tried, unsigned *waiter) {
    uint32_t now = now_ms();
    for (unsigned i = 0; i < PW_POLICY_WAITERS; i++) {
        uint64_t word = LOAD(space->words->waiter[i].word);
        uint16_t port = PORT_OF(word);
        if ((*tried & 1u << i) != 0 || !is_present(word, now) || (word & TAKEN) != 0 ||
            port == avoid || !policy_space_has(space, port) ||
            !meets(LOAD(space->words->waiter[i].reach), reach))
            continue;
        *tried |= 1u << i;
        *waiter = i;
        return port;
    }
    return 0;
}

void policy_wanted_taken(struct policy_space *space, unsigned waiter, uint16_t port) {
    _Atomic uint64_t *place = &space->words->waiter[waiter].word;
    uint64_t word = LOAD(*place);
    if (word != 0 && PORT_OF(word) == port && (word & TAKEN) == 0)
        atomic_compare_exchange_strong(place, &word, word | TAKEN);
}

bool policy_is_awaited(const struct policy_space *space, uint16_t port) {
    uint32_t now = now_ms();
    for (unsigned i = 0; i < PW_POLICY_WAITERS; i++) {
        uint64_t word = LOAD(space->words->waiter[i].word);
        if (PORT_OF(word) == port && (word & TAKEN) != 0 && is_present(word, now))
            return true;
    }
    return false;
}

/* Its own place, or else that of who asked longest ago. */
static unsigned asker_place(const struct policy_space *space, uint32_t thread, uint32_t now) {
    unsigned place = 0;
    uint32_t oldest = 0;
    for (unsigned i = 0; i < PW_POLICY_ASKERS; i++) {
        uint64_t word = LOAD(space->words->asker[i]);
        uint32_t age = word == 0 ? UINT32_MAX : age_ms(word, now);
        if (is_of(word, thread))
            return i;
        if (age > oldest) {
            oldest = age;
            place = i;
        }
    }
    return place;
}

void policy_note_asker(struct policy_space *space, uint32_t thread, uint16_t port) {
    uint32_t now = now_ms();
    _Atomic uint64_t *place = &space->words->asker[asker_place(space, thread, now)];
    uint64_t before = LOAD(*place);
    /* It has asked before where it asks now and has a place that says of a port. */
    bool again =
        is_of(before, thread) && ((before & AGAIN) != 0 || (port == 0 && PORT_OF(before) != 0));
    STORE(*place, WORD(port, now, thread) | (again ? AGAIN : 0));
}

static bool waits(const struct policy_space *space, uint32_t thread, uint32_t now) {
    for (unsigned i = 0; i < PW_POLICY_WAITERS; i++) {
        uint64_t word = LOAD(space->words->waiter[i].word);
        if (is_present(word, now) && is_of(word, thread))
            return true;
    }
    return false;
}

/* Who was given the port last, and has asked but once: the one that it was picked by, who does not
 * ask again. PW_POLICY_ASKERS where that is this thread itself, or nobody. */
static unsigned picker_place(const struct policy_space *space, uint32_t thread, uint16_t port,
                             uint32_t now) {
    unsigned place = PW_POLICY_ASKERS;
    uint32_t youngest = UINT32_MAX;
    for (unsigned i = 0; i < PW_POLICY_ASKERS; i++) {
        uint64_t word = LOAD(space->words->asker[i]);
        if (word == 0 || PORT_OF(word) != port)
            continue;
        if (is_of(word, thread))
            return PW_POLICY_ASKERS;
        if (age_ms(word, now) < youngest) {
            youngest = age_ms(word, now);
            place = (word & AGAIN) == 0 ? i : PW_POLICY_ASKERS;
        }
    }
    return place;
}

bool policy_others_ask(const struct policy_space *space, uint32_t thread, uint16_t port) {
    uint32_t now = now_ms();
    unsigned picker = picker_place(space, thread, port, now);
    for (unsigned i = 0; i < PW_POLICY_ASKERS; i++) {
        uint64_t word = LOAD(space->words->asker[i]);
        if (i != picker && word != 0 && !is_of(word, thread) &&
            age_ms(word, now) < ASKED_LATELY_MS && !waits(space, THREAD_OF(word), now))
            return true;
    }
    return false;
}
