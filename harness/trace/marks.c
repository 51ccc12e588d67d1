/* The program that writes a marker is itself a guest, which has just recorded its start: its serial
 * stands among the last records. */
#include "harness/trace/marks.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "harness/trace/header.h"
#include "shim/shared/recorder.h"
#include "shim/shared/trace_file.h"

enum { WINDOW_UNITS = 1024, WINDOWS_MAX = 256 };

/* Our own start among these units, the latest; 0 where it is not. */
static uint64_t find_own(const union pw_unit *units, size_t count) {
    const uint32_t pid = (uint32_t)getpid();
    for (size_t i = count; i-- > 0;) {
        uint32_t head = atomic_load(&units[i].start.head);
        if (PW_HEAD_TAG(head) == PW_TAG_START && PW_HEAD_KIND(head) == PW_KIND_PROCESS_START &&
            PW_HEAD_STATE(head) == PW_STATE_COMMITTED && i + 1 < count &&
            units[i + 1].process.pid == pid)
            return units[i].start.process;
    }
    return 0;
}

/* Goes back from the trace's end to the record of our own start. 0 where there is none. */
static uint64_t own_serial(const char *path, uint64_t taken) {
    static union pw_unit units[WINDOW_UNITS + 1];
    uint64_t serial = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    for (int i = 0; file >= 0 && serial == 0 && taken > 0 && i < WINDOWS_MAX; i++) {
        uint64_t from = taken > WINDOW_UNITS ? taken - WINDOW_UNITS : 0;
        off_t place = (off_t)(PW_UNITS_OFFSET + from * PW_UNIT_SIZE);
        /* One unit more than the window: a record may begin in its last one. */
        size_t size = header_read_at(file, units, (taken - from + (i > 0)) * sizeof *units, place);
        serial = find_own(units, size / sizeof *units);
        taken = from;
    }
    if (file >= 0)
        close(file);
    return serial;
}

const char *mark_write(const char *path, const char *name, uint64_t flags) {
    struct trace_map map = {0};
    struct trace_problem problem = {0};
    struct record record;
    size_t length = strlen(name);
    if (!trace_open(path, &map, &problem))
        return problem.what;
    recorder_attach(&map);
    uint64_t taken = recorder_units_taken();
    if (!record_begin(&record, PW_KIND_MARKER,
                      1 + record_text_units(length, PW_RECORD_UNITS_MAX - 1),
                      own_serial(path, taken), -1, monotonic_ns()))
        return "it has no room for another record";
    record.units[0].start.thread = (uint32_t)getppid();
    record.units[0].start.source = PW_SOURCE_SUPERVISOR;
    record.units[0].start.flags = flags;
    record_text(&record, 1, name, length);
    record_commit(&record, 0);
    return NULL;
}
