/*
 * Frames are found by glibc's backtrace(3), which reads the unwind tables that every module has, so
 * that code without frame pointers is seen through as well. That is more than a shim does
 * otherwise: it takes the loader's list of modules and some kilobytes of stack, so it is done only
 * on request.
 */
#include "shim/process/stacks.h"

#include <errno.h>
#include <execinfo.h>
#include <stdbool.h>
#include <string.h>

#include "shim/gate.h"
#include "shim/identity.h"
#include "shim/process/module_map.h"
#include "shim/shared/recorder.h"

enum { OWN_FRAMES_MAX = 8, ADDRESSES_PER_UNIT = 7 };

/* Where this library lies; the linker knows. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

static unsigned wanted;

void stacks_prepare(void) {
    void *frame[1];
    if (recorder_facts()->stacks == 0)
        return;
    (void)backtrace(frame, 1);
    wanted = recorder_facts()->stacks;
}

static bool is_own(const void *address) {
    return (const char *)address >= __ehdr_start && (const char *)address < _end;
}

static void write_stack(uint64_t number, void *const *frames, unsigned count) {
    struct record record;
    unsigned units = (count + ADDRESSES_PER_UNIT - 1) / ADDRESSES_PER_UNIT;
    for (unsigned i = 0; i < count; i++)
        module_note(frames[i]);
    if (!record_begin(&record, PW_KIND_STACK, 1 + units, identity_serial(), -1, monotonic_ns()))
        return;
    record.units[0].start.thread = identity_thread();
    record.units[0].start.source = PW_SOURCE_SHIM;
    record.units[0].start.cookie = number;
    for (unsigned i = 0; i < count; i++) {
        struct pw_numbers *numbers = &record.units[1 + i / ADDRESSES_PER_UNIT].numbers;
        numbers->number[i % ADDRESSES_PER_UNIT] = (uint64_t)(uintptr_t)frames[i];
        numbers->code = i % ADDRESSES_PER_UNIT + 1;
    }
    record_commit(&record, 0);
}

void stacks_record(uint64_t number) {
    void *frames[PW_STACK_MAX + OWN_FRAMES_MAX];
    if (wanted == 0 || gate() != GATE_OPEN)
        return;
    int saved = errno;
    int found = backtrace(frames, (int)(wanted + OWN_FRAMES_MAX));
    int first = 0;
    while (first < found && is_own(frames[first]))
        first++;
    unsigned count = (unsigned)(found - first);
    if (count > 0)
        write_stack(number, frames + first, count < wanted ? count : wanted);
    errno = saved;
}
