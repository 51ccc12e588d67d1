/*
 * By default so much is kept as answers "where in my code?": the innermost frame that is not of the
 * language's library or of what runs tests, the innermost of the user's own, and the one that
 * called it. The rest is for --stacks.
 */
#include "shim/shared/frame_choice.h"

#include <string.h>

/* What runs a test is near it. */
enum { DEFAULT_MAX = 3, BEYOND_MAX = 16 };

void frame_choice_begin(struct frame_choice *choice, unsigned stacks) {
    choice->most = stacks;
    choice->count = 0;
    choice->is_full = false;
    choice->is_done = false;
    choice->has_test = false;
    choice->beyond = 0;
    choice->outermost.text = 0;
}

static bool is_of_others(uint32_t of) { return of == PW_FRAME_LIBRARY || of == PW_FRAME_FRAMEWORK; }

static void keep(struct frame_choice *choice, const struct pw_frame *frame) {
    choice->frame[choice->count++] = *frame;
}

/* What a framework calls is a test, or prepares one; the innermost of such is looked for. */
static void mark_test(struct frame_choice *choice) {
    if (choice->outermost.text == 0)
        return;
    choice->outermost.of |= PW_FRAME_CALLED_BY_FRAMEWORK;
    if (choice->outermost_at < choice->count)
        choice->frame[choice->outermost_at] = choice->outermost;
    else if (choice->count < PW_STACK_MAX)
        keep(choice, &choice->outermost);
    choice->outermost.text = 0;
    choice->has_test = true;
    choice->is_done = true;
}

bool frame_choice_passes(const struct frame_choice *choice, enum pw_frame_of of) {
    if (choice->most != 0)
        return false;
    return choice->is_full ? of != PW_FRAME_USER : is_of_others(of) && choice->count > 0;
}

bool frame_choice_pass(struct frame_choice *choice, enum pw_frame_of of) {
    if (of == PW_FRAME_FRAMEWORK)
        mark_test(choice);
    if (choice->is_full && ++choice->beyond >= BEYOND_MAX)
        choice->is_done = true;
    return !choice->is_done;
}

static void add_whole(struct frame_choice *choice, const struct pw_frame *frame) {
    if (frame->of == PW_FRAME_FRAMEWORK)
        mark_test(choice);
    if (choice->count < PW_STACK_MAX)
        keep(choice, frame);
    choice->is_done = choice->count >= choice->most || choice->count == PW_STACK_MAX;
}

/* By default. */
static void add_if_it_matters(struct frame_choice *choice, const struct pw_frame *frame) {
    uint32_t last = choice->count > 0 ? choice->frame[choice->count - 1].of : 0;
    if (last != 0 && is_of_others(last) && !is_of_others(frame->of))
        choice->count = 0; /* it stood for want of a better one */
    if (choice->count > 0 && (is_of_others(frame->of) ||
                              (last == PW_FRAME_DEPENDENCY && frame->of == PW_FRAME_DEPENDENCY)))
        return;
    keep(choice, frame);
    choice->is_full = (last == PW_FRAME_USER && choice->count > 1) || choice->count == DEFAULT_MAX;
}

static void note_outermost(struct frame_choice *choice, const struct pw_frame *frame) {
    unsigned last = choice->count - 1; /* count is not 0 any more */
    bool is_kept = memcmp(&choice->frame[last], frame, sizeof *frame) == 0;
    if (frame->of != PW_FRAME_USER || choice->has_test)
        return;
    choice->outermost = *frame;
    choice->outermost_at = is_kept ? last : PW_STACK_MAX;
}

bool frame_choice_add(struct frame_choice *choice, const struct pw_frame *frame) {
    if (choice->is_done)
        return false;
    if (choice->most != 0)
        add_whole(choice, frame);
    else if (!choice->is_full)
        add_if_it_matters(choice, frame);
    note_outermost(choice, frame);
    return choice->most != 0 ? !choice->is_done : frame_choice_pass(choice, frame->of);
}

unsigned frame_choice_units(unsigned count) {
    return (count + PW_FRAMES_PER_UNIT - 1) / PW_FRAMES_PER_UNIT;
}

void frame_choice_write(struct record *record, unsigned index, const struct frame_choice *choice,
                        uint64_t thread) {
    for (unsigned done = 0; done < choice->count && index < record->count; index++) {
        struct pw_frames *unit = &record->units[index].frames;
        unsigned rest = choice->count - done;
        unit->thread = thread;
        unit->code = rest < PW_FRAMES_PER_UNIT ? rest : PW_FRAMES_PER_UNIT;
        memset(unit->frame, 0, sizeof unit->frame);
        memcpy(unit->frame, choice->frame + done, unit->code * sizeof *unit->frame);
        done += unit->code;
    }
    record->units[0].start.flags |= PW_FLAG_HAS_FRAMES;
}
