/* The texts that frames name by a hash: how they are cut, and what their names are. */
#ifndef PORTWITNESS_SHARED_FRAME_TEXT_H
#define PORTWITNESS_SHARED_FRAME_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_TEXT_BYTES = 480, FRAME_TEXT_UNITS = 8 };

struct frame_text_pair {
    uint64_t name; /* in the trace, never 0 in practice */
    size_t length;
    bool is_cut;
    char bytes[FRAME_TEXT_BYTES]; /* "first NUL second" */
};

/* Puts the two together; NULL counts as empty. Long texts are cut: the first at its beginning, for
 * of a long path the end tells more, the second at its end. Async-signal-safe. */
void frame_text_pair(struct frame_text_pair *pair, const char *first, const char *second);

#endif
