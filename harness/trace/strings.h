/* The texts of a trace that other records name by a number. */
#ifndef PORTWITNESS_TRACE_STRINGS_H
#define PORTWITNESS_TRACE_STRINGS_H

#include "harness/base/map.h"
#include "harness/trace/reader.h"

/* A frame in the language of the program. */
struct frame_text {
    const char *file;     /* NULL: not known */
    const char *function; /* NULL: not known */
    uint32_t line;        /* 0: not known */
    uint32_t of;          /* enum pw_frame_of */
    bool is_test;         /* what runs tests called it: a test, or what prepares one */
};

/* Zero-initialized there are none. */
struct strings {
    struct map of; /* by number, the index in list */
    struct string {
        char *text; /* two, with a NUL between */
        size_t length;
    } * list;
    size_t count;
    size_t room;
};

/* Takes a record; only strings count. At most 200,000 are kept. */
void strings_note(struct strings *strings, const struct trace_record *record);

/* The text with that number up to its first NUL, and what stands behind that; NULL where there is
 * none, or it is empty. Good until strings_note. */
const char *strings_first(const struct strings *strings, uint64_t number);
const char *strings_second(const struct strings *strings, uint64_t number);

/* What a frame of a record says. */
struct frame_text strings_frame(const struct strings *strings, const struct pw_frame *frame);

/* Frees all. */
void strings_free(struct strings *strings);

#endif
