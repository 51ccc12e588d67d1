/* The frames of a call that was seen from outside, as they stand in the trace: chosen by the same
 * rule as the shim's, their texts written once. */
#ifndef PORTWITNESS_CAPTURE_OUTSIDE_FRAMES_H
#define PORTWITNESS_CAPTURE_OUTSIDE_FRAMES_H

#include "harness/base/map.h"
#include "harness/capture/call_lines.h"
#include "shim/shared/frame_choice.h"

enum { OUTSIDE_STACKS = 512 };

struct known_stack;

/* Zero-initialized nothing is written or open. The trace is the one that the recorder is attached
 * to (shim/shared/recorder.h). */
struct outside_frames {
    struct map written; /* the names of texts */
    struct go_programs programs;
    struct known_stack *stacks; /* OUTSIDE_STACKS of them; what was found for each */
};

/* A call of a program, by addresses as of call_lines_find. */
struct outside_call {
    uint64_t program; /* not 0, and another number for each program that a process runs */
    int file;
    uint64_t bias;
    const uint64_t *address;
    size_t count;
    bool is_system_call; /* the innermost function is to be one that leaves Go for the kernel or for
                            C: else the file is of another program, and there are no frames */
};

/* The frames that are kept of a call; `stacks` as in the trace's header. Writes the texts that the
 * trace does not have yet, so no record may be begun. What is found is in `choice`, which has none
 * (count 0) where the program has no lines. */
void outside_frames_find(struct outside_frames *frames, const struct outside_call *call,
                         unsigned stacks, struct frame_choice *choice);

/* Frees and closes what it holds. */
void outside_frames_close(struct outside_frames *frames);

#endif
