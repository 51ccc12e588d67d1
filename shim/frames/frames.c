/*
 * By default so much is kept as answers "where in my code?": the innermost frame that is not of the
 * language's library or of what runs tests, the innermost of the user's own, and the one that
 * called it. The rest is for --stacks. Texts are written once a process and named by their hash,
 * so that a bind costs one more unit of 64 bytes.
 */
#include "shim/frames/frames.h"

#include <errno.h>
#include <string.h>

#include "shim/frames/languages.h"
#include "shim/frames/text.h"
#include "shim/gate.h"
#include "shim/socket/descriptors.h"

enum { DEFAULT_MAX = 3 };

/* What a language has left for the next call, and what was found for this one. */
static __thread struct frames noted;
static __thread int noted_for;
static __thread uint64_t noted_socket; /* 0: not known yet */
static __thread bool is_noted;
static __thread struct frames found;
static __thread bool is_walking;

bool frames_are_on(void) { return gate_is_open() && !recorder_facts()->no_frames; }

void frames_begin(struct frames *frames) {
    frames->thread = 0;
    frames->call = 0;
    frames->count = 0;
    frames->is_full = false;
    frames->whole = recorder_facts()->stacks != 0;
}

static bool keep(struct frames *frames, enum pw_frame_of of, const char *file, const char *function,
                 uint32_t line) {
    frames->frame[frames->count++] = (struct pw_frame){text_intern(file, function), line, of};
    return true;
}

static bool is_of_others(uint32_t of) { return of == PW_FRAME_LIBRARY || of == PW_FRAME_FRAMEWORK; }

bool frames_add(struct frames *frames, enum pw_frame_of of, const char *file, const char *function,
                uint32_t line) {
    if (frames->is_full)
        return false;
    if (frames->whole) {
        keep(frames, of, file, function, line);
        frames->is_full =
            frames->count == recorder_facts()->stacks || frames->count == PW_STACK_MAX;
        return !frames->is_full;
    }
    uint32_t last = frames->count > 0 ? frames->frame[frames->count - 1].of : 0;
    if (last != 0 && is_of_others(last) && !is_of_others(of))
        frames->count = 0; /* it stood for want of a better one */
    if (frames->count == 0)
        return keep(frames, of, file, function, line);
    if (is_of_others(of) || (last == PW_FRAME_DEPENDENCY && of == PW_FRAME_DEPENDENCY))
        return true;
    keep(frames, of, file, function, line);
    frames->is_full = last == PW_FRAME_USER || frames->count == DEFAULT_MAX;
    return !frames->is_full;
}

void frames_name_thread(struct frames *frames, const char *name) {
    frames->thread = name != NULL && *name != '\0' ? text_intern(name, NULL) : 0;
}

/* The number may be another socket's by the time it is called with. */
static uint64_t cookie_of(int fd) {
    const struct descriptor *entry = descriptor_find(fd);
    return entry != NULL ? atomic_load_explicit(&entry->cookie, memory_order_relaxed) : 0;
}

void frames_note(int fd, const struct frames *frames) {
    is_noted = false;
    noted = *frames;
    noted_for = fd;
    noted_socket = cookie_of(fd);
    is_noted = frames->count > 0;
}

void frames_forget(void) { is_noted = false; }

static const struct frames *take_noted(int fd, int call) {
    bool is_socket = noted_for == fd && (noted_socket == 0 || noted_socket == cookie_of(fd));
    bool is_his = is_noted && (noted_for == FRAMES_ANY_DESCRIPTOR || is_socket) &&
                  (noted.call == 0 || noted.call == call);
    if (noted_for != FRAMES_ANY_DESCRIPTOR)
        is_noted = false;
    return is_his ? &noted : NULL;
}

static bool walk(int fd, const void *site) {
    for (unsigned i = 0; i < languages_count; i++) {
        frames_begin(&found);
        if (languages[i](&found, fd, site) && found.count > 0)
            return true;
    }
    return false;
}

const struct frames *frames_of_call(int fd, int call, const void *site) {
    const struct frames *answer = NULL;
    if (is_walking || recorder_facts()->no_frames || gate() != GATE_OPEN)
        return NULL;
    int saved = errno;
    is_walking = true;
    answer = take_noted(fd, call);
    if (walk(fd, site)) /* what is so now, rather than what was announced */
        answer = &found;
    is_walking = false;
    errno = saved;
    return answer;
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
