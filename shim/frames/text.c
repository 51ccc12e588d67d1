/*
 * A text is known by what it says, so a hash can name it in every process of a run, and it does no
 * harm if two threads write it at a time, or a crowded table has it written twice.
 */
#include "shim/frames/text.h"

#include <stdatomic.h>

#include "shim/identity.h"
#include "shim/shared/clock.h"
#include "shim/shared/frame_text.h"
#include "shim/shared/rarely_touched.h"
#include "shim/shared/recorder.h"

enum { SLOTS = 2048, PROBES = 8 };

RARELY_TOUCHED static _Atomic uint64_t written[SLOTS];

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

static bool write_text(const struct frame_text_pair *pair) {
    struct record record;
    uint64_t serial = identity_serial();
    if (serial == 0 || !record_begin(&record, PW_KIND_STRING,
                                     1 + record_text_units(pair->length, FRAME_TEXT_UNITS), serial,
                                     -1, monotonic_ns()))
        return false;
    struct pw_start *start = &record.units[0].start;
    start->thread = identity_thread();
    start->source = PW_SOURCE_SHIM;
    start->cookie = pair->name;
    start->flags = pair->is_cut ? PW_FLAG_TEXT_CUT : 0;
    record_text(&record, 1, pair->bytes, pair->length);
    record_commit(&record, 0);
    return true;
}

uint64_t text_intern(const char *first, const char *second) {
    struct frame_text_pair pair;
    unsigned slot;
    frame_text_pair(&pair, first, second);
    if (is_written(pair.name, &slot))
        return pair.name;
    if (!write_text(&pair))
        return 0;
    atomic_store_explicit(&written[slot], pair.name, memory_order_relaxed);
    return pair.name;
}
