/*
 * Millions of sockets come and go in a long run and few live at a time, so what is taken out must
 * leave nothing behind: open addressing where later entries move up into the gap.
 */
#include "harness/run/cookie_set.h"

#include <stdlib.h>

enum { FIRST_ROOM = 1024 };

static size_t home_of(const struct cookie_set *set, uint64_t cookie) {
    uint64_t mixed = cookie * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(mixed >> 32) & (set->room - 1);
}

static size_t find(const struct cookie_set *set, uint64_t cookie) {
    size_t slot = home_of(set, cookie);
    while (set->slots[slot] != 0 && set->slots[slot] != cookie)
        slot = (slot + 1) & (set->room - 1);
    return slot;
}

static bool grow(struct cookie_set *set) {
    struct cookie_set larger = {.room = set->room == 0 ? FIRST_ROOM : 2 * set->room,
                                .used = set->used};
    larger.slots = calloc(larger.room, sizeof *larger.slots);
    larger.bits = calloc(larger.room, sizeof *larger.bits);
    larger.ports = calloc(larger.room, sizeof *larger.ports);
    if (larger.slots == NULL || larger.bits == NULL || larger.ports == NULL) {
        cookie_set_free(&larger);
        return false;
    }
    for (size_t i = 0; i < set->room; i++) {
        if (set->slots[i] == 0)
            continue;
        size_t slot = find(&larger, set->slots[i]);
        larger.slots[slot] = set->slots[i];
        larger.bits[slot] = set->bits[i];
        larger.ports[slot] = set->ports[i];
    }
    cookie_set_free(set);
    *set = larger;
    return true;
}

void cookie_set_mark(struct cookie_set *set, uint64_t cookie, unsigned bits, uint16_t port) {
    if (cookie == 0 || (2 * set->used >= set->room && !grow(set)))
        return;
    size_t slot = find(set, cookie);
    if (set->slots[slot] == 0)
        set->used++;
    set->slots[slot] = cookie;
    set->bits[slot] |= (uint8_t)bits;
    set->ports[slot] = port != 0 ? port : set->ports[slot];
}

void cookie_set_add(struct cookie_set *set, uint64_t cookie) { cookie_set_mark(set, cookie, 0, 0); }

unsigned cookie_set_bits(const struct cookie_set *set, uint64_t cookie) {
    if (set->used == 0 || cookie == 0)
        return 0;
    size_t slot = find(set, cookie);
    return set->slots[slot] != 0 ? set->bits[slot] : 0;
}

bool cookie_set_has(const struct cookie_set *set, uint64_t cookie) {
    return set->used > 0 && cookie != 0 && set->slots[find(set, cookie)] != 0;
}

uint16_t cookie_set_port(const struct cookie_set *set, uint64_t cookie) {
    if (set->used == 0 || cookie == 0)
        return 0;
    size_t slot = find(set, cookie);
    return set->slots[slot] != 0 ? set->ports[slot] : 0;
}

bool cookie_set_take(struct cookie_set *set, uint64_t cookie) {
    if (set->used == 0 || cookie == 0)
        return false;
    size_t gap = find(set, cookie);
    if (set->slots[gap] == 0)
        return false;
    size_t mask = set->room - 1;
    for (size_t next = (gap + 1) & mask; set->slots[next] != 0; next = (next + 1) & mask) {
        /* An entry may move up unless its home lies behind the gap. */
        size_t home = home_of(set, set->slots[next]);
        if (((next - home) & mask) < ((next - gap) & mask))
            continue;
        set->slots[gap] = set->slots[next];
        set->bits[gap] = set->bits[next];
        set->ports[gap] = set->ports[next];
        gap = next;
    }
    set->slots[gap] = 0;
    set->bits[gap] = 0;
    set->ports[gap] = 0;
    set->used--;
    return true;
}

void cookie_set_free(struct cookie_set *set) {
    free(set->slots);
    free(set->bits);
    free(set->ports);
    *set = (struct cookie_set){0};
}
