/* A test runner that is recorded says itself which test runs: to start `portwitness mark` for each
 * would take longer than many tests do. */
#include "shim/portwitness.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "shim/gate.h"
#include "shim/identity.h"
#include "shim/real.h"
#include "shim/shared/recorder.h"
#include "shim/start.h"

#define EXPORTED __attribute__((visibility("default")))

static uint64_t flags_of(int what) {
    if (what == PORTWITNESS_STARTS)
        return 0;
    return PW_FLAG_MARKER_END | (what < PORTWITNESS_ENDED ? PW_FLAG_OUTCOME(what) : 0);
}

static int record_mark(const char *name, int what) {
    struct record record;
    size_t length = name != NULL ? strlen(name) : 0;
    if (gate() != GATE_OPEN || what < PORTWITNESS_STARTS || what > PORTWITNESS_ENDED ||
        !record_begin(&record, PW_KIND_MARKER,
                      1 + record_text_units(length, PW_RECORD_UNITS_MAX - 1), identity_serial(), -1,
                      monotonic_ns()))
        return -1;
    struct pw_start *start = &record.units[0].start;
    start->thread = identity_thread();
    start->source = PW_SOURCE_SHIM;
    start->flags = flags_of(what);
    record_text(&record, 1, name != NULL ? name : "", length);
    record_commit(&record, 0);
    return 0;
}

EXPORTED int portwitness_mark(const char *name, int what) {
    int saved = errno;
    if (real.bind == NULL)
        shim_prepare();
    int result = record_mark(name, what);
    errno = saved;
    return result;
}
