/*
 * NODE_OPTIONS=--inspect=9229 reaches every child, and each binds 9229: whoever reads that it was
 * refused looks for the number in his program, where it does not stand.
 */
#include "shim/process/number_source.h"

#include "shim/gate.h"
#include "shim/identity.h"
#include "shim/process/start_strings.h"
#include "shim/shared/clock.h"
#include "shim/shared/recorder.h"

enum { NAME_BYTES = 128 };

void number_source_record(uint16_t port, uint64_t number) {
    struct record record;
    char name[NAME_BYTES];
    if (gate() != GATE_OPEN || port == 0)
        return;
    size_t length = start_strings_variable(port, name, sizeof name);
    if (length == 0 ||
        !record_begin(&record, PW_KIND_NUMBER_SOURCE, 1 + record_text_units(length, 8),
                      identity_serial(), -1, monotonic_ns()))
        return;
    struct pw_start *start = &record.units[0].start;
    start->thread = identity_thread();
    start->source = PW_SOURCE_SHIM;
    start->cookie = number;
    record_text(&record, 1, name, length);
    record_commit(&record, 0);
}
