/*
 * By default so much is kept as answers "where in my code?": the innermost frame that is not of the
 * language's library or of what runs tests, the innermost of the user's own, and the one that
 * called it. The rest is for --stacks. Texts are written once a process and named by their hash,
 * so that a bind costs one more unit of 64 bytes.
 */
#include "shim/frames/frames.h"

#include <string.h>

#include "shim/frames/text.h"
#include "shim/gate.h"
#include "shim/socket/descriptors.h"

/* What runs a test is near it. */
enum { DEFAULT_MAX = 3, BEYOND_MAX = 16 };

/* What a language has left for the next call. */
static __thread struct frames noted;
static __thread int noted_for;
static __thread uint64_t noted_socket; /* 0: not known yet */
static __thread bool is_noted;

_Atomic bool languages_found;

bool frames_are_on(void) { return gate_is_open() && !recorder_facts()->no_frames; }

void frames_begin(struct frames *frames) {
    frames->thread = 0;
    frames->call = 0;
    frames->count = 0;
    frames->listens = false;
    frames->is_full = false;
    frames->is_done = false;
    frames->has_test = false;
    frames->beyond = 0;
    frames->outermost.text = 0;
    frames->whole = recorder_facts()->stacks != 0;
}

static void keep(struct frames *frames, const struct pw_frame *frame) {
    frames->frame[frames->count++] = *frame;
}

static bool is_of_others(uint32_t of) { return of == PW_FRAME_LIBRARY || of == PW_FRAME_FRAMEWORK; }

/* What a framework calls is a test, or prepares one; the innermost of such is looked for. */
static void mark_test(struct frames *frames) {
    if (frames->outermost.text == 0)
        return;
    frames->outermost.of |= PW_FRAME_CALLED_BY_FRAMEWORK;
    if (frames->outermost_at < frames->count)
        frames->frame[frames->outermost_at] = frames->outermost;
    else if (frames->count < PW_STACK_MAX)
        keep(frames, &frames->outermost);
    frames->outermost.text = 0;
    frames->has_test = true;
    frames->is_done = true;
}

bool frames_pass(struct frames *frames, enum pw_frame_of of) {
    if (of == PW_FRAME_FRAMEWORK)
        mark_test(frames);
    if (frames->is_full && ++frames->beyond >= BEYOND_MAX)
        frames->is_done = true;
    return !frames->is_done;
}

static void add_whole(struct frames *frames, const struct pw_frame *frame) {
    if (frame->of == PW_FRAME_FRAMEWORK)
        mark_test(frames);
    if (frames->count < PW_STACK_MAX)
        keep(frames, frame);
    frames->is_done = frames->count >= recorder_facts()->stacks || frames->count == PW_STACK_MAX;
}

/* By default. */
static void add_if_it_matters(struct frames *frames, const struct pw_frame *frame) {
    uint32_t last = frames->count > 0 ? frames->frame[frames->count - 1].of : 0;
    if (last != 0 && is_of_others(last) && !is_of_others(frame->of))
        frames->count = 0; /* it stood for want of a better one */
    if (frames->count > 0 && (is_of_others(frame->of) ||
                              (last == PW_FRAME_DEPENDENCY && frame->of == PW_FRAME_DEPENDENCY)))
        return;
    keep(frames, frame);
    frames->is_full = (last == PW_FRAME_USER && frames->count > 1) || frames->count == DEFAULT_MAX;
}

static void note_outermost(struct frames *frames, const struct pw_frame *frame) {
    unsigned last = frames->count - 1; /* count is not 0 any more */
    bool is_kept = memcmp(&frames->frame[last], frame, sizeof *frame) == 0;
    if (frame->of != PW_FRAME_USER || frames->has_test)
        return;
    frames->outermost = *frame;
    frames->outermost_at = is_kept ? last : PW_STACK_MAX;
}

/* Whether of such a frame no more is wanted than that it is there. */
static bool is_passed(const struct frames *frames, enum pw_frame_of of) {
    if (frames->whole || frames->is_done)
        return false;
    return frames->is_full ? of != PW_FRAME_USER : is_of_others(of) && frames->count > 0;
}

bool frames_add_interned(struct frames *frames, enum pw_frame_of of, uint64_t text, uint32_t line) {
    const struct pw_frame frame = {text, line, of};
    if (frames->is_done)
        return false;
    if (is_passed(frames, of))
        return frames_pass(frames, of);
    if (frames->whole)
        add_whole(frames, &frame);
    else if (!frames->is_full)
        add_if_it_matters(frames, &frame);
    note_outermost(frames, &frame);
    return frames->whole ? !frames->is_done : frames_pass(frames, of);
}

bool frames_add(struct frames *frames, enum pw_frame_of of, const char *file, const char *function,
                uint32_t line) {
    if (frames->is_done)
        return false;
    if (is_passed(frames, of))
        return frames_pass(frames, of);
    return frames_add_interned(frames, of, text_intern(file, function), line);
}

void frames_name_thread(struct frames *frames, const char *name) {
    frames->thread = name != NULL && *name != '\0' ? text_intern(name, NULL) : 0;
}

/* The number may be another socket's by the time it is called with. */
uint64_t frames_socket(int fd) {
    const struct descriptor *entry = descriptor_find(fd);
    return entry != NULL ? atomic_load_explicit(&entry->cookie, memory_order_relaxed) : 0;
}

void frames_note(int fd, const struct frames *frames) {
    if (!atomic_load_explicit(&languages_found, memory_order_relaxed))
        atomic_store_explicit(&languages_found, true, memory_order_relaxed);
    is_noted = false;
    noted = *frames;
    noted_for = fd;
    noted_socket = frames_socket(fd);
    is_noted = frames->count > 0;
}

void frames_forget(void) { is_noted = false; }

const struct frames *frames_take_noted(int fd, int call) {
    bool is_socket = noted_for == fd && (noted_socket == 0 || noted_socket == frames_socket(fd));
    bool is_his = is_noted && (noted_for == FRAMES_ANY_DESCRIPTOR || is_socket) &&
                  (noted.call == 0 || noted.call == call);
    if (noted_for != FRAMES_ANY_DESCRIPTOR)
        is_noted = false;
    return is_his ? &noted : NULL;
}

unsigned frames_units(const struct frames *frames) {
    return frames == NULL ? 0 : (frames->count + PW_FRAMES_PER_UNIT - 1) / PW_FRAMES_PER_UNIT;
}

void frames_write(struct record *record, unsigned index, const struct frames *frames) {
    if (frames == NULL)
        return;
    for (unsigned done = 0; done < frames->count && index < record->count; index++) {
        struct pw_frames *unit = &record->units[index].frames;
        unsigned rest = frames->count - done;
        unit->thread = frames->thread;
        unit->code = rest < PW_FRAMES_PER_UNIT ? rest : PW_FRAMES_PER_UNIT;
        memset(unit->frame, 0, sizeof unit->frame);
        memcpy(unit->frame, frames->frame + done, unit->code * sizeof *unit->frame);
        done += unit->code;
    }
    record->units[0].start.flags |= PW_FLAG_HAS_FRAMES;
}
