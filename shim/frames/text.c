/*
 * A text is known by what it says, so a hash can name it in every process of a run, and it does no
 * harm if two threads write it at a time, or a crowded table has it written twice.
 */
#include "shim/frames/text.h"

#include <stdatomic.h>
#include <string.h>

#include "shim/identity.h"
#include "shim/shared/clock.h"
#include "shim/shared/recorder.h"

enum { SLOTS = 2048, PROBES = 8, TEXT_BYTES = 480 };

static _Atomic uint64_t written[SLOTS];

/* FNV-1a, from its basis on or from what it was behind another text. */
static uint64_t hash_text(uint64_t hash, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint32_t fold(uint64_t hash) { return (uint32_t)(hash >> 32 ^ hash); }

/* The second's goes on from the whole one of the first: many files have a function of one name, and
 * two of them whose halves are the same shall not be taken for one. */
static uint64_t hash_both(const char *first, size_t length, const char *second,
                          size_t second_length) {
    uint64_t hash = hash_text(UINT64_C(0xcbf29ce484222325), first, length);
    return (uint64_t)fold(hash) << 32 | fold(hash_text(hash, second, second_length));
}

static bool is_written(uint64_t hash, unsigned *slot) {
    *slot = (unsigned)(hash % SLOTS);
    for (unsigned i = 0; i < PROBES; i++) {
        unsigned at = (unsigned)((hash + i) % SLOTS);
        uint64_t held = atomic_load_explicit(&written[at], memory_order_relaxed);
        if (held == hash)
            return true;
        if (held == 0) {
            *slot = at;
            return false;
        }
    }
    return false;
}

static bool write_text(uint64_t hash, const char *text, size_t length, bool cut) {
    struct record record;
    uint64_t serial = identity_serial();
    if (serial == 0 || !record_begin(&record, PW_KIND_STRING, 1 + record_text_units(length, 8),
                                     serial, -1, monotonic_ns()))
        return false;
    struct pw_start *start = &record.units[0].start;
    start->thread = identity_thread();
    start->source = PW_SOURCE_SHIM;
    start->cookie = hash;
    start->flags = cut ? PW_FLAG_TEXT_CUT : 0;
    record_text(&record, 1, text, length);
    record_commit(&record, 0);
    return true;
}

uint64_t text_intern(const char *first, const char *second) {
    char text[TEXT_BYTES];
    size_t one = first != NULL ? strlen(first) : 0;
    size_t two = second != NULL ? strlen(second) : 0;
    size_t room_one = one < TEXT_BYTES / 2 ? one : TEXT_BYTES / 2;
    size_t room_two = two < TEXT_BYTES / 2 - 1 ? two : TEXT_BYTES / 2 - 1;
    size_t length = room_one + 1 + room_two;
    unsigned slot;
    /* Of a long path the end tells more. */
    if (room_one > 0)
        memcpy(text, first + one - room_one, room_one);
    text[room_one] = '\0';
    char *second_part = text + room_one + 1;
    if (room_two > 0)
        memcpy(second_part, second, room_two);
    uint64_t hash = hash_both(text, room_one, second_part, room_two);
    if (is_written(hash, &slot))
        return hash;
    if (!write_text(hash, text, length, room_one < one || room_two < two))
        return 0;
    atomic_store_explicit(&written[slot], hash, memory_order_relaxed);
    return hash;
}
