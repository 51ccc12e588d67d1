/*
 * Which frames are kept is the same for all that see calls (shim/shared/frame_choice.h). Texts are
 * written once a process and named by their hash, so that a bind costs one more unit of 64 bytes.
 */
#include "shim/frames/frames.h"

#include "shim/frames/text.h"
#include "shim/gate.h"
#include "shim/socket/descriptors.h"

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
    frames->listens = false;
    frame_choice_begin(&frames->kept, recorder_facts()->stacks);
}

bool frames_pass(struct frames *frames, enum pw_frame_of of) {
    return frame_choice_pass(&frames->kept, of);
}

bool frames_add_interned(struct frames *frames, enum pw_frame_of of, uint64_t text, uint32_t line) {
    const struct pw_frame frame = {text, line, of};
    if (frames->kept.is_done)
        return false;
    if (frame_choice_passes(&frames->kept, of))
        return frames_pass(frames, of);
    return frame_choice_add(&frames->kept, &frame);
}

bool frames_add(struct frames *frames, enum pw_frame_of of, const char *file, const char *function,
                uint32_t line) {
    if (frames->kept.is_done)
        return false;
    if (frame_choice_passes(&frames->kept, of))
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
    is_noted = frames->kept.count > 0;
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
    return frames == NULL ? 0 : frame_choice_units(frames->kept.count);
}

void frames_write(struct record *record, unsigned index, const struct frames *frames) {
    if (frames != NULL)
        frame_choice_write(record, index, &frames->kept, frames->thread);
}
