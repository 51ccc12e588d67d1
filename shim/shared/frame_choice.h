/* Which frames of a call are kept, and how a record holds them. */
#ifndef PORTWITNESS_SHARED_FRAME_CHOICE_H
#define PORTWITNESS_SHARED_FRAME_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/shared/recorder.h"

struct frame_choice {
    unsigned most;   /* frames that are wanted whosever they are; 0: only those that matter */
    unsigned count;  /* that are kept */
    bool is_full;    /* what is kept is known; the test may still be looked for */
    bool is_done;    /* walk no further */
    bool has_test;   /* the frame of the test, or what prepares it, is marked */
    unsigned beyond; /* frames that were seen since it was full */
    struct pw_frame outermost; /* of the user's, so far; text 0: none */
    unsigned outermost_at;     /* where it is kept; PW_STACK_MAX: nowhere */
    struct pw_frame frame[PW_STACK_MAX];
};

/* Empties it, for the innermost frame to come; `stacks` as in the trace's header. */
void frame_choice_begin(struct frame_choice *choice, unsigned stacks);

/* Whether the next frame outwards is passed over, so that its names are not needed:
 * frame_choice_pass, else frame_choice_add. */
bool frame_choice_passes(const struct frame_choice *choice, enum pw_frame_of of);

/* The next frame outwards. false: enough is known. */
bool frame_choice_pass(struct frame_choice *choice, enum pw_frame_of of);
bool frame_choice_add(struct frame_choice *choice, const struct pw_frame *frame);

/* How many units that many frames need. */
unsigned frame_choice_units(unsigned count);

/* Writes what is kept into the record's units from `index` on, and says so in its flags; `thread`
 * as in struct pw_frames. */
void frame_choice_write(struct record *record, unsigned index, const struct frame_choice *choice,
                        uint64_t thread);

#endif
