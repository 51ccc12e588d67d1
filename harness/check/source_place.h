/* The line of somebody's source that a call was made from. */
#ifndef PORTWITNESS_CHECK_SOURCE_PLACE_H
#define PORTWITNESS_CHECK_SOURCE_PLACE_H

#include "harness/check/check.h"
#include "harness/check/source_line.h"

/* Texts are good until the next question of the same `lines`. */
struct source_place {
    const char *function; /* NULL: not known */
    const char *file;     /* NULL: not known */
    uint32_t line;        /* 0: not known */
    uint32_t of;          /* enum pw_frame_of; 0: compiled code, of which nobody said */
    uint64_t address;     /* in the process, of compiled code; 0: none */
};

/* Of a program in a language that has frames the one of the user's own code, or the nearest to it;
 * else the innermost place outside the system's libraries, else the place of the call itself. */
struct source_place source_place_of(const struct check *check, struct source_lines *lines,
                                    const struct call *call);

/* Where the frames of two calls have the same user's frame. false where one has none. */
bool source_place_is_frame_of_both(const struct check *check, const struct call *one,
                                   const struct call *other);

#endif
