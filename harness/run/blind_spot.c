/* Many in `run` find out that something is not seen; the trace has one form for it. */
#include "harness/run/blind_spot.h"

#include <string.h>

#include "shim/shared/recorder.h"

void blind_spot_record(unsigned reason, uint64_t process, uint32_t pid, const char *text) {
    size_t length = strlen(text);
    unsigned units = record_text_units(length, PW_RECORD_UNITS_MAX - 2);
    struct record record;
    if (!record_begin(&record, PW_KIND_BLIND_SPOT, 2 + units, process, -1, monotonic_ns()))
        return;
    record.units[0].start.source = PW_SOURCE_RUN;
    record.units[1].numbers.code = reason;
    record.units[1].numbers.number[0] = pid;
    if (!record_text(&record, 2, text, length))
        record.units[0].start.flags |= PW_FLAG_TEXT_CUT;
    record_commit(&record, 0);
}
