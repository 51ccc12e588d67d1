/*
 * A program that binds in a loop has the same frames each time: their texts are remembered by their
 * names, as in the shim, and what was found of a stack by its addresses.
 */
#include "harness/capture/outside_frames.h"

#include <stdlib.h>
#include <string.h>

#include "harness/capture/outside_event.h"
#include "shim/shared/frame_text.h"

struct known_stack {
    uint64_t program; /* 0: none */
    uint64_t address[OUTSIDE_ADDRESSES_MAX];
    size_t count;
    unsigned stacks;
    struct frame_choice choice;
};

struct choosing {
    struct outside_frames *frames;
    struct frame_choice *choice;
    bool wants_way_out;
    /* The outermost frame so far that is of Go's library and not of its runtime. */
    struct pw_frame way_in; /* line and of; of 0: none */
    unsigned way_in_at;     /* with --stacks: which of those that are kept */
    struct frame_text_pair way_in_text;
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
static uint64_t name_of(struct outside_frames *frames, const struct frame_text_pair *pair) {
    if (map_get(&frames->written, pair->name) != MAP_NONE)
        return pair->name;
    if (!write_text(pair))
        return 0;
    map_put(&frames->written, pair->name, 1);
    return pair->name;
}

static uint64_t text_of(struct outside_frames *frames, const struct call_line *line) {
    struct frame_text_pair pair;
    frame_text_pair(&pair, line->file, line->function);
    return name_of(frames, &pair);
}

/* Where Go leaves for the kernel, or for C: any other function as the innermost one shows that the
 * process runs, or ran, another program by now than the file that was found for it. */
static bool is_way_out(const char *function) {
    return strstr(function, "yscall") != NULL || strstr(function, "cgocall") != NULL;
}

static bool begins_with(const char *text, const char *beginning) {
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

static bool is_runtime(const char *function) {
    return begins_with(function, "runtime.") || begins_with(function, "runtime/") ||
           begins_with(function, "internal/runtime/");
}

static void note_way_in(struct choosing *choosing, const struct call_line *line) {
    const struct frame_choice *choice = choosing->choice;
    if (line->of != PW_FRAME_LIBRARY || is_runtime(line->function) ||
        (choice->most != 0 && choice->is_done))
        return;
    choosing->way_in = (struct pw_frame){.line = line->line, .of = line->of | PW_FRAME_WAY_IN};
    choosing->way_in_at = choice->count;
    frame_text_pair(&choosing->way_in_text, line->file, line->function);
}

/* Go's library begins connections in goroutines of its own, where no function is the user's: then
 * its outermost one says what for, and the innermost, a system call, nothing. */
static void choose_way_in(const struct choosing *choosing) {
    struct frame_choice *choice = choosing->choice;
    struct pw_frame frame = choosing->way_in;
    for (unsigned i = 0; i < choice->count; i++)
        if (choice->frame[i].of != PW_FRAME_LIBRARY)
            return;
    if (choice->count == 0 || frame.of == 0)
        return;
    if (choice->most != 0) {
        choice->frame[choosing->way_in_at].of |= PW_FRAME_WAY_IN;
        return;
    }
    frame.text = name_of(choosing->frames, &choosing->way_in_text);
    choice->frame[0] = frame;
}

static bool take_line(void *with, const struct call_line *line) {
    struct choosing *choosing = with;
    if (choosing->wants_way_out && !is_way_out(line->function))
        return false;
    choosing->wants_way_out = false;
    note_way_in(choosing, line);
    if (frame_choice_passes(choosing->choice, line->of))
        return frame_choice_pass(choosing->choice, line->of);
    const struct pw_frame frame = {text_of(choosing->frames, line), line->line, line->of};
    return frame_choice_add(choosing->choice, &frame);
}

/* The place of a stack among those that are known, NULL where it cannot be kept. */
static struct known_stack *place_of(struct outside_frames *frames,
                                    const struct outside_call *call) {
    uint64_t hash = call->program;
    if (call->count > OUTSIDE_ADDRESSES_MAX)
        return NULL;
    if (frames->stacks == NULL)
        frames->stacks = calloc(OUTSIDE_STACKS, sizeof *frames->stacks);
    for (size_t i = 0; i < call->count; i++)
        hash = (hash ^ call->address[i]) * UINT64_C(0x9e3779b97f4a7c15);
    return frames->stacks != NULL ? &frames->stacks[(hash >> 32) % OUTSIDE_STACKS] : NULL;
}

static bool is_same(const struct known_stack *known, const struct outside_call *call,
                    unsigned stacks) {
    return known->program == call->program && known->count == call->count &&
           known->stacks == stacks &&
           memcmp(known->address, call->address, call->count * sizeof *call->address) == 0;
}

void outside_frames_find(struct outside_frames *frames, const struct outside_call *call,
                         unsigned stacks, struct frame_choice *choice) {
    struct choosing choosing = {
        .frames = frames, .choice = choice, .wants_way_out = call->is_system_call};
    struct known_stack *known = place_of(frames, call);
    if (known != NULL && is_same(known, call, stacks)) {
        *choice = known->choice;
        return;
    }
    frame_choice_begin(choice, stacks);
    call_lines_find(&frames->programs, call->file, call->bias, call->address, call->count,
                    take_line, &choosing);
    choose_way_in(&choosing);
    if (known == NULL)
        return;
    *known = (struct known_stack){
        .program = call->program, .count = call->count, .stacks = stacks, .choice = *choice};
    memcpy(known->address, call->address, call->count * sizeof *call->address);
}

void outside_frames_close(struct outside_frames *frames) {
    map_free(&frames->written);
    go_programs_close(&frames->programs);
    free(frames->stacks);
    frames->stacks = NULL;
}
