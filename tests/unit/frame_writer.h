/* Gives the records of a trace_writer frames, and tests, as the shim does. */
#ifndef PORTWITNESS_UNIT_FRAME_WRITER_H
#define PORTWITNESS_UNIT_FRAME_WRITER_H

#include <stdlib.h>
#include <string.h>

#include "tests/unit/trace_writer.h"

struct written_frame {
    const char *file;
    const char *function;
    uint32_t line;
    enum pw_frame_of of;
};

/* Any number will do that differs as the texts do. */
static inline uint32_t writer_hash(const char *text) {
    uint32_t hash = 17;
    for (; *text != '\0'; text++)
        hash = hash * 31 + (unsigned char)*text;
    return hash;
}

static inline uint64_t writer_text_cookie(const char *first, const char *second) {
    return (uint64_t)writer_hash(first) << 32 | writer_hash(second);
}

/* A record of one text of two parts; of one where `second` is NULL. */
static inline union pw_unit *writer_add_text(struct trace_writer *trace, enum pw_kind kind,
                                             uint64_t process, uint64_t at, const char *first,
                                             const char *second) {
    char text[4 * PW_TEXT_BYTES] = "";
    size_t length = strlen(first) + 1;
    memcpy(text, first, length);
    if (second != NULL) {
        memcpy(text + length, second, strlen(second) + 1);
        length += strlen(second);
    }
    unsigned count = (unsigned)((length + PW_TEXT_BYTES - 1) / PW_TEXT_BYTES);
    union pw_unit *units = writer_add(trace, kind, 1 + count, process, -1, 0, at, at);
    for (unsigned i = 0; i < count; i++)
        memcpy(units[1 + i].text.bytes, text + i * PW_TEXT_BYTES, PW_TEXT_BYTES);
    return units;
}

/* The frames of the record that was added last, which begins there; the innermost first. */
static inline void writer_add_frames(struct trace_writer *trace, union pw_unit *units,
                                     const struct written_frame *frames, unsigned count) {
    unsigned held = PW_HEAD_COUNT(units->start.head);
    unsigned more = (count + PW_FRAMES_PER_UNIT - 1) / PW_FRAMES_PER_UNIT;
    enum pw_kind kind = PW_HEAD_KIND(units->start.head);
    units->start.head = PW_HEAD(PW_TAG_START, held + more, kind, PW_STATE_COMMITTED);
    units->start.flags |= PW_FLAG_HAS_FRAMES;
    trace->used += more;
    for (unsigned i = 0; i < count; i++) {
        unsigned index = held + i / PW_FRAMES_PER_UNIT;
        struct pw_frames *unit = &units[index].frames;
        unit->head = PW_HEAD(PW_TAG_CONTINUATION, index, kind, 0);
        unit->frame[unit->code++] = (struct pw_frame){
            writer_text_cookie(frames[i].file, frames[i].function), frames[i].line, frames[i].of};
    }
    for (unsigned i = 0; i < count; i++)
        writer_add_text(trace, PW_KIND_STRING, units->start.process, units->start.begin_ns,
                        frames[i].file, frames[i].function)
            ->start.cookie = writer_text_cookie(frames[i].file, frames[i].function);
}

/* The name of the test that ran when the record was made. */
static inline void writer_add_test(struct trace_writer *trace, const union pw_unit *units,
                                   const char *name) {
    union pw_unit *marker = writer_add_text(trace, PW_KIND_MARKER, units->start.process,
                                            units->start.end_ns, name, NULL);
    marker->start.flags = PW_FLAG_MARKER_ENVIRONMENT;
    marker->start.cookie = (uint64_t)(units - trace->units);
}

#endif
