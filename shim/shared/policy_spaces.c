/*
 * Where a space's arrays lie stands in the trace, which others may write to. So a process believes
 * it once, if it can be true, and goes by its own copy from then on.
 */
#include <stddef.h>

#include "shim/shared/policy_space.h"
#include "shim/shared/rarely_touched.h"
#include "shim/shared/raw_file.h"
#include "shim/shared/recorder.h"

enum { RANGE_LOW = 32768, RANGE_HIGH = 60999, COPIES = 2 * PW_POLICY_SPACES };

#define LOAD(word) atomic_load_explicit(&(word), memory_order_acquire)
#define STORE(word, value) atomic_store_explicit(&(word), (value), memory_order_release)
/* Of a plain word that another process may be writing to: once, so that what was checked is what is
 * used. */
#define LOAD_ONCE(word) __atomic_load_n(&(word), __ATOMIC_RELAXED)

/* A row of the area is identified by `known`. Whoever meets it first fills a copy of its own, so
 * that nobody waits for a thread that a signal, or a fork, stopped in the middle. */
RARELY_TOUCHED static struct policy_space copies[COPIES];
static _Atomic unsigned copies_taken;
static _Atomic(struct policy_space *) known[PW_POLICY_SPACES];
static struct policy_space refused; /* stands for a row with impossible values; has no key */

struct pw_policy_area *policy_area(void) {
    const struct pw_policy_config *config = policy_config();
    struct pw_header *header = recorder_header();
    if (header == NULL || (config->kind == PW_POLICY_KERNEL && config->low == 0))
        return NULL;
    return (struct pw_policy_area *)(void *)((char *)header + PW_HEADER_SIZE);
}

const struct pw_policy_config *policy_config(void) { return &recorder_facts()->config; }

void policy_count(enum pw_policy_count what) {
    struct pw_policy_area *area = policy_area();
    if (area != NULL)
        atomic_fetch_add_explicit(&area->count[what], 1, memory_order_relaxed);
}

void policy_spaces_forget(void) {
    for (unsigned i = 0; i < PW_POLICY_SPACES; i++)
        STORE(known[i], NULL);
    atomic_store(&copies_taken, 0);
}

static const char *read_port(const char *text, uint16_t *port) {
    unsigned number = 0;
    while (*text == ' ' || *text == '\t')
        text++;
    for (; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (unsigned)(*text - '0');
    *port = (uint16_t)number;
    return text;
}

/* The namespace's own range (ip(7)); its default where /proc does not say. */
static void read_system_range(struct pw_policy_space *row) {
    char text[64];
    row->system_low = RANGE_LOW;
    row->system_high = RANGE_HIGH;
    if (raw_file_read_text("/proc/sys/net/ipv4/ip_local_port_range", text, sizeof text) > 0)
        read_port(read_port(text, &row->system_low), &row->system_high);
}

static bool needs_queue(void) {
    return policy_config()->kind == PW_POLICY_SOONEST ||
           policy_config()->kind == PW_POLICY_QUARANTINE;
}

static uint32_t ring_entries(uint32_t width) {
    uint32_t entries = 1;
    while (entries < width && entries < PW_POLICY_RING_MOST)
        entries *= 2;
    return entries;
}

/* Room that is never given back; 0 where there is none. */
static uint32_t take_room(struct pw_policy_area *area, uint32_t bytes) {
    uint32_t rounded = (bytes + 63) & ~63u;
    uint32_t from = atomic_fetch_add(&area->used, rounded);
    return from >= sizeof *area && from <= PW_POLICY_SIZE && PW_POLICY_SIZE - from >= rounded ? from
                                                                                              : 0;
}

static bool furnish(struct pw_policy_area *area, struct pw_policy_space *row, uint16_t low,
                    uint16_t high) {
    uint32_t width = (uint32_t)(high - low) + 1;
    uint32_t entries = ring_entries(width);
    if (low == 0 || low > high)
        return false;
    row->low = low;
    row->high = high;
    if (!needs_queue())
        return true;
    row->ring_mask = entries - 1;
    row->stamps = take_room(area, width * 4);
    row->holders = take_room(area, width * 2);
    row->ring = take_room(area, entries * 4);
    /* Runs one after the other would otherwise begin among what the last one left in TIME_WAIT. */
    atomic_store(&row->cursor, (uint32_t)(monotonic_ns() >> 10));
    return row->stamps != 0 && row->holders != 0 && row->ring != 0;
}

static uint64_t key_of(uint64_t netns, bool is_udp) { return netns << 1 | (is_udp ? 1 : 0); }

/* An array of the area, behind its fixed part. NULL where it does not lie there whole. */
static void *array_at(struct pw_policy_area *area, uint32_t offset, uint32_t bytes) {
    if (offset % 64 != 0 || offset < sizeof *area || offset > PW_POLICY_SIZE ||
        bytes > PW_POLICY_SIZE - offset)
        return NULL;
    return (char *)area + offset;
}

/* Takes over what the row says. false where it cannot be. */
static bool take_over(struct pw_policy_area *area, struct pw_policy_space *row,
                      struct policy_space *space) {
    const struct pw_policy_config *config = policy_config();
    space->words = row;
    space->low = LOAD_ONCE(row->low);
    space->high = LOAD_ONCE(row->high);
    space->system_low = LOAD_ONCE(row->system_low);
    space->system_high = LOAD_ONCE(row->system_high);
    uint16_t low = config->low != 0 ? config->low : space->system_low;
    uint16_t high = config->low != 0 ? config->high : space->system_high;
    if (low == 0 || low > high || space->low != low || space->high != high ||
        space->system_low > space->system_high)
        return false;
    if (!needs_queue())
        return true;
    uint32_t width = (uint32_t)(high - low) + 1;
    uint32_t entries = ring_entries(width);
    space->ring_mask = entries - 1;
    space->stamps = array_at(area, LOAD_ONCE(row->stamps), width * 4);
    space->holders = array_at(area, LOAD_ONCE(row->holders), width * 2);
    space->ring = array_at(area, LOAD_ONCE(row->ring), entries * 4);
    return LOAD_ONCE(row->ring_mask) == entries - 1 && space->stamps != NULL &&
           space->holders != NULL && space->ring != NULL;
}

static struct policy_space *meet(struct pw_policy_area *area, unsigned index, uint64_t key) {
    unsigned copy = atomic_load(&copies_taken);
    if (copy >= COPIES || (copy = atomic_fetch_add(&copies_taken, 1)) >= COPIES)
        return NULL;
    struct policy_space *space = &copies[copy];
    struct policy_space *first = NULL; /* that somebody else met it with meanwhile */
    *space = (struct policy_space){.key = key};
    if (!take_over(area, &area->space[index], space))
        space = &refused;
    return atomic_compare_exchange_strong(&known[index], &first, space) ? space : first;
}

struct policy_space *policy_space_known(uint64_t netns, bool is_udp) {
    struct pw_policy_area *area = policy_area();
    uint64_t key = key_of(netns, is_udp);
    if (area == NULL || netns == 0)
        return NULL;
    for (unsigned i = 0; i < PW_POLICY_SPACES; i++) {
        struct policy_space *space = LOAD(known[i]);
        if (space != NULL && space->key == key)
            return space;
    }
    for (unsigned i = 0; i < PW_POLICY_SPACES; i++) {
        if (LOAD(known[i]) != NULL || LOAD(area->space[i].key) != key)
            continue;
        struct policy_space *space = meet(area, i, key);
        if (space != NULL && space->key == key)
            return space;
    }
    return NULL;
}

/* Filled in before it is published, so that nobody waits for whoever makes it. Two who make the
 * same one waste a row: all use the first. */
struct policy_space *policy_space(uint64_t netns, bool is_udp) {
    struct policy_space *space = policy_space_known(netns, is_udp);
    struct pw_policy_area *area = policy_area();
    if (space != NULL || area == NULL || netns == 0 || LOAD(area->spaces) >= PW_POLICY_SPACES)
        return space;
    uint32_t index = atomic_fetch_add(&area->spaces, 1);
    if (index >= PW_POLICY_SPACES)
        return NULL;
    const struct pw_policy_config *config = policy_config();
    struct pw_policy_space *row = &area->space[index];
    read_system_range(row);
    bool is_given = config->low != 0;
    if (!furnish(area, row, is_given ? config->low : row->system_low,
                 is_given ? config->high : row->system_high))
        return NULL;
    STORE(row->key, key_of(netns, is_udp));
    return policy_space_known(netns, is_udp);
}
