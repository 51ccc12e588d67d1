/*
 * A program that binds in a loop has the same frames each time: their texts are remembered by their
 * names, as in the shim.
 */
#include "harness/capture/outside_frames.h"

#include "shim/shared/frame_text.h"

struct choosing {
    struct outside_frames *frames;
    struct frame_choice *choice;
};

static bool write_text(const struct frame_text_pair *pair) {
    struct record record;
    if (!record_begin(&record, PW_KIND_STRING,
                      1 + record_text_units(pair->length, FRAME_TEXT_UNITS), 0, -1, monotonic_ns()))
        return false;
    struct pw_start *start = &record.units[0].start;
    start->source = PW_SOURCE_RUN;
    start->cookie = pair->name;
    start->flags = pair->is_cut ? PW_FLAG_TEXT_CUT : 0;
    record_text(&record, 1, pair->bytes, pair->length);
    record_commit(&record, 0);
    return true;
}

/* The text's name; 0: nothing could be written. */
static uint64_t text_of(struct outside_frames *frames, const struct call_line *line) {
    struct frame_text_pair pair;
    frame_text_pair(&pair, line->file, line->function);
    if (map_get(&frames->written, pair.name) != MAP_NONE)
        return pair.name;
    if (!write_text(&pair))
        return 0;
    map_put(&frames->written, pair.name, 1);
    return pair.name;
}

static bool take_line(void *with, const struct call_line *line) {
    struct choosing *choosing = with;
    if (frame_choice_passes(choosing->choice, line->of))
        return frame_choice_pass(choosing->choice, line->of);
    const struct pw_frame frame = {text_of(choosing->frames, line), line->line, line->of};
    return frame_choice_add(choosing->choice, &frame);
}

void outside_frames_find(struct outside_frames *frames, int file, uint64_t bias,
                         const uint64_t *address, size_t count, unsigned stacks,
                         struct frame_choice *choice) {
    struct choosing choosing = {frames, choice};
    frame_choice_begin(choice, stacks);
    call_lines_find(&frames->programs, file, bias, address, count, take_line, &choosing);
}

void outside_frames_close(struct outside_frames *frames) {
    map_free(&frames->written);
    go_programs_close(&frames->programs);
}
