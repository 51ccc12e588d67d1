/* What evidence_sites_read has kept of a call's place, looked up by the call's record. */
#include "harness/check/check.h"

const struct check_stack *check_stack_of(const struct check *check, const struct call *call) {
    const struct check_trace *trace = &check->traces[call->trace];
    size_t low = 0;
    size_t high = trace->stack_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (trace->stacks[middle].unit < call->unit)
            low = middle + 1;
        else
            high = middle;
    }
    return low < trace->stack_count && trace->stacks[low].unit == call->unit ? &trace->stacks[low]
                                                                             : NULL;
}

/* They were read in the order of the records. */
static const struct check_frames *frames_of_record(const struct check_trace *trace, uint64_t unit) {
    size_t low = 0;
    size_t high = trace->frames_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (trace->frames[middle].unit < unit)
            low = middle + 1;
        else
            high = middle;
    }
    return low < trace->frames_count && trace->frames[low].unit == unit ? &trace->frames[low]
                                                                        : NULL;
}

const struct check_frames *check_frames_of(const struct check *check, const struct call *call) {
    const struct check_trace *trace = &check->traces[call->trace];
    const struct check_frames *own = frames_of_record(trace, call->unit);
    return own != NULL || call->bind_unit == 0 ? own : frames_of_record(trace, call->bind_unit);
}

struct frame_text check_frame(const struct check *check, const struct call *call,
                              const struct check_frames *frames, size_t index) {
    const struct check_trace *trace = &check->traces[call->trace];
    return strings_frame(&trace->strings, &trace->frame_list[frames->first + index]);
}
