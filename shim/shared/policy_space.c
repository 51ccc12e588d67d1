/*
 * One word for each port holds its state, and only a compare-and-exchange of that word hands the
 * port out. The ring beside it only says where to look: an entry is void unless the port's own word
 * names it. So a process that dies between two steps leaves nothing that another has to repair.
 */
#include "shim/shared/policy_space.h"

#include <stddef.h>

#include "shim/shared/policy_own.h"
#include "shim/shared/recorder.h"

enum {
    LATE_MS = 1000,
    RENEWED_MOST = 64,
    IN_A_ROW_MOST = 16,
    TURNS_MOST = 64 /* the words may change under us for ever, if somebody writes what is not so */
};

#define LOAD(word) atomic_load_explicit(&(word), memory_order_acquire)
#define STORE(word, value) atomic_store_explicit(&(word), (value), memory_order_release)

static _Atomic uint32_t *stamp_of(const struct policy_space *space, uint16_t port) {
    return &space->stamps[port - space->low];
}

static _Atomic uint16_t *holder_of(const struct policy_space *space, uint16_t port) {
    return &space->holders[port - space->low];
}

static _Atomic uint32_t *ring_of(const struct policy_space *space, uint32_t index) {
    return &space->ring[index & space->ring_mask];
}

static uint32_t now_ms(void) { return (uint32_t)(monotonic_ns() / 1000000); }

static bool exchange(_Atomic uint32_t *stamp, uint32_t from, uint32_t to) {
    return atomic_compare_exchange_strong(stamp, &from, to);
}

bool policy_space_has(const struct policy_space *space, uint16_t port) {
    return space->stamps != NULL && port >= space->low && port <= space->high;
}

static void make_held(struct policy_space *space, uint16_t port) {
    STORE(*stamp_of(space, port), PW_STAMP(PW_PORT_HELD, now_ms()));
}

/* Void entries need not be looked at twice: where the known ones begin behind `index`, on to their
 * end. */
static uint32_t skip_dead(uint64_t dead, uint32_t index) {
    uint32_t from = (uint32_t)dead, to = (uint32_t)(dead >> 32);
    bool is_range = to - from <= PW_POLICY_RING_MOST; /* else it would lead forward */
    return is_range && index - from <= to - from && index != from ? from : index;
}

/* The port of a ring's entry; 0 where it names none. */
static uint16_t port_of(const struct policy_space *space, uint32_t index) {
    uint16_t offset = (uint16_t)LOAD(*ring_of(space, index));
    return offset <= space->high - space->low ? (uint16_t)(space->low + offset) : 0;
}

static bool is_alive(const struct policy_space *space, uint32_t index) {
    uint16_t port = port_of(space, index);
    return port != 0 && atomic_load(stamp_of(space, port)) == PW_STAMP(PW_PORT_QUEUED, index);
}

/* The newest entry below `index` and not below `last` that is not void: one more than its index, or
 * `last`. */
static uint32_t newest_below(const struct policy_space *space, uint32_t index, uint32_t last,
                             uint64_t dead) {
    while (index - last > 0 && index - last <= space->ring_mask + 1) {
        index = skip_dead(dead, index);
        if (index - last == 0 || index - last > space->ring_mask + 1)
            break;
        if (is_alive(space, index - 1))
            return index;
        index--;
    }
    return last;
}

/* All entries from `from` to `head` were seen void. One may have been on its way: whoever makes it
 * looks at the mark after it is there, and we look at the entries after the mark is there, so one
 * of us sees the other. */
static void note_dead(struct policy_space *space, uint32_t from, uint32_t head, uint64_t before) {
    uint64_t range = (uint64_t)head << 32 | from;
    atomic_store(&space->words->surely_dead, 0);
    atomic_store(&space->words->dead, range);
    if (newest_below(space, head, from, before) != from)
        atomic_store(&space->words->dead, 0);
    else
        atomic_store(&space->words->surely_dead, range);
}

/* What another search still looks at again is not to be built upon. */
static uint64_t known_dead(const struct policy_space *space) {
    uint64_t dead = atomic_load(&space->words->dead);
    return dead == atomic_load(&space->words->surely_dead) ? dead : 0;
}

/* Whoever gets a number that another one knows may be in its way. */
static void note_dispute(struct policy_space *space, uint16_t port) {
    if ((LOAD(*holder_of(space, port)) & PW_HOLDER_READ) != 0)
        atomic_fetch_or(holder_of(space, port), PW_HOLDER_DISPUTED);
}

/* Takes a port that waits in the queue with this stamp. What the thread has released itself is in
 * nobody's way. */
static bool take(struct policy_space *space, uint16_t port, uint32_t stamp, uint32_t thread) {
    if (!exchange(stamp_of(space, port), stamp, PW_STAMP(PW_PORT_HELD, now_ms())))
        return false;
    bool is_own = policy_own_is_of_thread(space, port, stamp, thread);
    policy_own_given(space, port, stamp, thread);
    if (!is_own)
        note_dispute(space, port);
    return true;
}

void policy_take_this(struct policy_space *space, uint16_t port) {
    if (!policy_space_has(space, port))
        return;
    uint32_t stamp = LOAD(*stamp_of(space, port));
    if (PW_STAMP_STATE(stamp) == PW_PORT_QUEUED)
        exchange(stamp_of(space, port), stamp, PW_STAMP(PW_PORT_HELD, now_ms()));
}

/* After so many in a row by whomever, one in four is left to the kernel: where each request comes
 * from another process, or others ask in between, nobody could see who goes round in circles. */
static bool may_go_on(struct policy_space *space) {
    uint32_t given = LOAD(space->words->given);
    bool goes_on = given < IN_A_ROW_MOST || (monotonic_ns() / 64) % 4 != 0;
    STORE(space->words->given, goes_on ? given + 1 : 0);
    return goes_on;
}

static uint16_t take_newest(struct policy_space *space, uint16_t avoid, uint32_t thread,
                            bool fairly) {
    uint32_t head = LOAD(space->words->head);
    uint32_t last = head > space->ring_mask ? head - space->ring_mask - 1 : 0;
    uint64_t dead = known_dead(space);
    bool avoided = false;
    uint32_t index = newest_below(space, head, last, dead);
    for (; index != last; index = newest_below(space, index - 1, last, dead)) {
        uint16_t port = port_of(space, index - 1);
        uint32_t stamp = PW_STAMP(PW_PORT_QUEUED, index - 1);
        if (port == avoid || port == 0) {
            avoided = true;
            continue;
        }
        if (fairly && policy_own_is_enough(space, port, stamp, thread)) {
            policy_own_restart(space, port);
            return 0;
        }
        if (fairly && !may_go_on(space))
            return 0;
        if (!take(space, port, stamp, thread))
            continue;
        if (!avoided)
            note_dead(space, index - 1, head, dead);
        return port;
    }
    if (!avoided && head != last)
        note_dead(space, last, head, dead);
    return 0;
}

uint16_t policy_take_newest(struct policy_space *space, uint16_t avoid) {
    return take_newest(space, avoid, 0, false);
}

uint16_t policy_take_newest_fairly(struct policy_space *space, uint16_t avoid, uint32_t thread) {
    return take_newest(space, avoid, thread, true);
}

/* Milliseconds from the stamp to now. Another process may have stamped it a little after we looked
 * at the clock: that counts as no time, and not as a whole round of the clock. */
static uint32_t age_of(uint32_t stamp, uint32_t now) {
    uint32_t age = PW_STAMP_VALUE(now - stamp);
    return age < 1u << 29 ? age : 0;
}

static bool rests(uint32_t stamp) { return PW_STAMP_STATE(stamp) == PW_PORT_RESTING; }

/* Released so long ago that the ring no longer holds its entry. */
static bool fell_out(const struct policy_space *space, uint32_t stamp, uint32_t head) {
    return PW_STAMP_STATE(stamp) == PW_PORT_QUEUED &&
           PW_STAMP_VALUE(head - stamp) > space->ring_mask + 1;
}

uint16_t policy_take_rested(struct policy_space *space, uint16_t avoid) {
    uint32_t width = (uint32_t)(space->high - space->low) + 1;
    uint32_t now = now_ms();
    uint32_t none_until = LOAD(space->words->none_until);
    if (none_until != 0 && (int32_t)(now - none_until) < 0)
        return 0;
    uint32_t from = atomic_fetch_add_explicit(&space->words->cursor, 1, memory_order_relaxed);
    uint32_t head = LOAD(space->words->head);
    for (uint32_t step = 0; step < width; step++) {
        uint16_t port = (uint16_t)(space->low + (from + step) % width);
        uint32_t stamp = LOAD(*stamp_of(space, port));
        bool rested = rests(stamp) && age_of(stamp, now) >= policy_config()->for_ms;
        if (port == avoid ||
            (PW_STAMP_STATE(stamp) != PW_PORT_FRESH && !rested && !fell_out(space, stamp, head)))
            continue;
        if (!exchange(stamp_of(space, port), stamp, PW_STAMP(PW_PORT_HELD, now)))
            continue;
        if (step > 0)
            atomic_fetch_add_explicit(&space->words->cursor, step, memory_order_relaxed);
        return port;
    }
    return 0;
}

/* The first that is no younger than the oldest of the last search, since many are released in one
 * millisecond; where there is none, the oldest of all. *stamp is its stamp then. */
static uint16_t find_oldest(struct policy_space *space, uint16_t avoid, uint32_t now,
                            uint32_t *stamp) {
    uint32_t width = (uint32_t)(space->high - space->low) + 1;
    uint32_t from = LOAD(space->words->oldest_cursor);
    uint32_t known_age = age_of(LOAD(space->words->oldest), now);
    bool is_known = LOAD(space->words->oldest) != 0;
    uint32_t best_age = 0;
    uint16_t best = 0;
    for (uint32_t step = 0; step < width; step++) {
        uint16_t port = (uint16_t)(space->low + (from + step) % width);
        uint32_t seen = atomic_load_explicit(stamp_of(space, port), memory_order_relaxed);
        if (!rests(seen) || port == avoid || (best != 0 && age_of(seen, now) <= best_age))
            continue;
        best = port;
        best_age = age_of(seen, now);
        *stamp = seen;
        if (is_known && best_age >= known_age)
            break;
    }
    if (best == 0)
        return 0;
    STORE(space->words->oldest_cursor, (uint32_t)(best - space->low));
    STORE(space->words->oldest, *stamp);
    /* No port has rested for its time before this one has. */
    STORE(space->words->none_until, (now + policy_config()->for_ms - best_age) | 1);
    return best;
}

uint16_t policy_take_oldest(struct policy_space *space, uint16_t avoid) {
    uint32_t now = now_ms();
    uint32_t stamp = 0;
    for (unsigned turn = 0; turn < TURNS_MOST; turn++) {
        uint16_t port = find_oldest(space, avoid, now, &stamp);
        if (port == 0 || exchange(stamp_of(space, port), stamp, PW_STAMP(PW_PORT_HELD, now)))
            return port;
    }
    return 0;
}

/* Never 0. */
static uint16_t short_cookie(uint64_t cookie) { return (uint16_t)(cookie % PW_HOLDER_COOKIE + 1); }

void policy_port_bound(struct policy_space *space, uint16_t port, uint64_t cookie, bool known) {
    if (!policy_space_has(space, port))
        return;
    uint16_t disputed = LOAD(*holder_of(space, port)) & PW_HOLDER_DISPUTED;
    uint16_t flags = known ? PW_HOLDER_READ : disputed;
    make_held(space, port);
    STORE(*holder_of(space, port), (uint16_t)(short_cookie(cookie) | flags));
}

void policy_port_read(struct policy_space *space, uint16_t port) {
    if (policy_space_has(space, port) && (LOAD(*holder_of(space, port)) & PW_HOLDER_READ) == 0)
        atomic_fetch_or(holder_of(space, port), PW_HOLDER_READ);
}

void policy_port_asked_for(struct policy_space *space, uint16_t port) {
    if (!policy_space_has(space, port))
        return;
    atomic_fetch_and(holder_of(space, port), (uint16_t)~PW_HOLDER_DISPUTED);
    policy_own_restart(space, port);
    STORE(space->words->given, 0);
    STORE(space->words->kept, 0);
}

uint32_t policy_kept_for_nobody(struct policy_space *space, uint32_t more) {
    return atomic_fetch_add(&space->words->kept, more);
}

void policy_port_closing(struct policy_space *space, uint16_t port, uint64_t cookie) {
    if (!policy_space_has(space, port) ||
        (LOAD(*holder_of(space, port)) & PW_HOLDER_COOKIE) != short_cookie(cookie))
        return;
    make_held(space, port);
    atomic_fetch_and(holder_of(space, port), (uint16_t)~PW_HOLDER_COOKIE);
}

/* How often the ring had gone round when the entry was made, from 1; in an entry's higher half. */
static uint16_t round_of(const struct policy_space *space, uint32_t index) {
    return (uint16_t)(index / (space->ring_mask + 1) + 1);
}

/* false where the ring has gone round meanwhile: whoever came later keeps the place. */
static bool put_entry(struct policy_space *space, uint32_t index, uint16_t port) {
    _Atomic uint32_t *entry = ring_of(space, index);
    uint16_t round = round_of(space, index);
    uint32_t old = LOAD(*entry);
    uint32_t own = (uint32_t)round << 16 | (uint16_t)(port - space->low);
    for (unsigned turn = 0; turn < TURNS_MOST; turn++) {
        if (old != 0 && (int16_t)(round - (uint16_t)(old >> 16)) <= 0)
            return false;
        if (atomic_compare_exchange_weak(entry, &old, own))
            return true;
    }
    return false;
}

/* The index of a new entry for the port. */
static uint32_t add_entry(struct policy_space *space, uint16_t port) {
    uint32_t index = atomic_fetch_add(&space->words->head, 1);
    for (unsigned turn = 0; turn < TURNS_MOST && !put_entry(space, index, port); turn++)
        index = atomic_fetch_add(&space->words->head, 1);
    return index;
}

/* What was released by closes whose entries are not older than `since` gets new entries, in the
 * same order: to who asks meanwhile it is there all the time. */
static void renew(struct policy_space *space, uint32_t since, uint32_t end) {
    if (end - since > space->ring_mask + 1 || end - since > RENEWED_MOST)
        since = end - (RENEWED_MOST < space->ring_mask + 1 ? RENEWED_MOST : space->ring_mask + 1);
    for (uint32_t i = since; i != end; i++) {
        if (!is_alive(space, i))
            continue;
        uint16_t port = port_of(space, i);
        uint32_t index = add_entry(space, port);
        exchange(stamp_of(space, port), PW_STAMP(PW_PORT_QUEUED, i),
                 PW_STAMP(PW_PORT_QUEUED, index));
    }
}

/* Behind what was released since `since`, where that is not NULL. Then that is set to what comes
 * behind the port. */
static uint32_t enqueue(struct policy_space *space, uint16_t port, uint32_t *since) {
    uint32_t index = add_entry(space, port);
    if (since != NULL) {
        renew(space, *since, index);
        *since = index + 1;
    }
    uint32_t stamp = PW_STAMP(PW_PORT_QUEUED, index);
    atomic_store(stamp_of(space, port), stamp);
    /* The ring may have gone round while we were kept from storing that: nobody would find the port
     * any more. */
    for (unsigned turn = 0; turn < TURNS_MOST && fell_out(space, stamp, LOAD(space->words->head));
         turn++) {
        index = add_entry(space, port);
        uint32_t later = PW_STAMP(PW_PORT_QUEUED, index);
        if (!exchange(stamp_of(space, port), stamp, later))
            break; /* somebody has it */
        stamp = later;
    }
    /* A search that came by in between took the entry for void. */
    if (skip_dead(atomic_load(&space->words->dead), index + 1) != index + 1)
        atomic_store(&space->words->dead, 0);
    return stamp;
}

/* Whether the port may be put in the queue: no other socket has it. A notice comes at the time of
 * the close that it reports, or late: by then the port may have been released and taken by somebody
 * who has not bound it yet. Only a port that was refused long ago can be the one that the notice
 * means. */
static bool is_free(const struct policy_space *space, uint16_t port, uint64_t cookie,
                    bool by_notice) {
    uint16_t holding = LOAD(*holder_of(space, port)) & PW_HOLDER_COOKIE;
    uint32_t before = LOAD(*stamp_of(space, port));
    if (holding != 0)
        return holding == short_cookie(cookie);
    return !by_notice ||
           (PW_STAMP_STATE(before) == PW_PORT_HELD && age_of(before, now_ms()) >= LATE_MS);
}

/* `since`: NULL, or for a notice. 0 where the port does not wait in the queue now. */
static uint32_t release(struct policy_space *space, uint16_t port, uint64_t cookie,
                        uint32_t *since) {
    if (!policy_space_has(space, port) || !is_free(space, port, cookie, since != NULL))
        return 0;
    bool was_read =
        (atomic_fetch_and(holder_of(space, port), (uint16_t)PW_HOLDER_READ) & PW_HOLDER_READ) != 0;
    if (policy_config()->kind == PW_POLICY_QUARANTINE && was_read) {
        STORE(*stamp_of(space, port), PW_STAMP(PW_PORT_RESTING, now_ms()));
        return 0;
    }
    return enqueue(space, port, since);
}

uint32_t policy_port_released(struct policy_space *space, uint16_t port, uint64_t cookie) {
    return release(space, port, cookie, NULL);
}

uint32_t policy_releases(const struct policy_space *space) { return LOAD(space->words->head); }

void policy_port_noticed(struct policy_space *space, uint16_t port, uint64_t cookie,
                         uint32_t *since) {
    release(space, port, cookie, since);
}

bool policy_port_was_seen(const struct policy_space *space, uint16_t port) {
    if (!policy_space_has(space, port))
        return false;
    uint32_t state = PW_STAMP_STATE(LOAD(*stamp_of(space, port)));
    return state == PW_PORT_QUEUED || state == PW_PORT_HELD;
}

uint32_t policy_port_held_ms(const struct policy_space *space, uint16_t port) {
    uint32_t stamp = policy_space_has(space, port) ? LOAD(*stamp_of(space, port)) : 0;
    return PW_STAMP_STATE(stamp) == PW_PORT_HELD ? age_of(stamp, now_ms()) : UINT32_MAX;
}

bool policy_port_disputed(const struct policy_space *space, uint16_t port, uint64_t cookie) {
    if (!policy_space_has(space, port))
        return false;
    uint16_t holder = LOAD(*holder_of(space, port));
    return (holder & PW_HOLDER_DISPUTED) != 0 &&
           (holder & PW_HOLDER_COOKIE) == short_cookie(cookie);
}
