/* Places of frames have to be told apart from addresses, and be compared as cheaply: ten million
 * records may have one each. */
#include "harness/trace/record_frames.h"

/* A place: bit 63, then so many bits of the file's hash, the function's hash, and the line. */
#define FILE_MASK UINT64_C(0x7fffff)
#define FUNCTION_MASK UINT64_C(0xfffff)
#define LINE_MASK UINT64_C(0xfffff)
enum { FILE_SHIFT = 40, FUNCTION_SHIFT = 20 };

static unsigned held(const struct pw_frames *unit) {
    return unit->code < PW_FRAMES_PER_UNIT ? unit->code : PW_FRAMES_PER_UNIT;
}

unsigned record_frame_count(const struct trace_record *record) {
    unsigned count = 0;
    for (unsigned i = 0; i < record->frame_units; i++)
        count += held(&record->frames[i]);
    return count;
}

const struct pw_frame *record_frame(const struct trace_record *record, unsigned index) {
    const struct pw_frames *unit = record->frames;
    while (index >= held(unit))
        index -= held(unit++);
    return &unit->frame[index];
}

uint64_t record_frame_thread(const struct trace_record *record) {
    return record->frame_units > 0 ? record->frames[0].thread : 0;
}

unsigned record_frame_nearest(const struct trace_record *record) {
    unsigned count = record_frame_count(record);
    unsigned best = 0;
    for (unsigned i = 0; i < count; i++) {
        uint32_t of = PW_FRAME_OF(record_frame(record, i)->of);
        uint32_t best_of = PW_FRAME_OF(record_frame(record, best)->of);
        if (of == PW_FRAME_USER)
            return i;
        if (best_of == PW_FRAME_DEPENDENCY)
            continue;
        if (of == PW_FRAME_DEPENDENCY || (record_frame(record, i)->of & PW_FRAME_WAY_IN) != 0)
            best = i;
    }
    return best;
}

/* One line may call a package that calls bind at two: to look for a number, and to use it. */
static uint64_t way_through(const struct trace_record *record, unsigned nearest) {
    const struct pw_frame *inner = record_frame(record, 0);
    if (nearest == 0 || PW_FRAME_OF(inner->of) != PW_FRAME_DEPENDENCY)
        return 0;
    return (inner->text >> 32 ^ inner->text) + inner->line * UINT64_C(0x9e3779b1);
}

uint64_t record_place(const struct trace_record *record) {
    if (record_frame_count(record) == 0)
        return record->site;
    unsigned nearest = record_frame_nearest(record);
    const struct pw_frame *frame = record_frame(record, nearest);
    uint64_t file = frame->text >> 32;
    uint64_t function = (frame->text & UINT32_MAX) ^ way_through(record, nearest);
    return UINT64_C(1) << 63 | (file & FILE_MASK) << FILE_SHIFT |
           (function & FUNCTION_MASK) << FUNCTION_SHIFT | (frame->line & LINE_MASK);
}

bool places_share_file(uint64_t one, uint64_t other) {
    return place_is_of_frame(one) && one >> FILE_SHIFT == other >> FILE_SHIFT;
}
