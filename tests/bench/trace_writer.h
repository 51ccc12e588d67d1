/* What programs that write traces of their own making have in common. */
#ifndef PORTWITNESS_BENCH_TRACE_WRITER_H
#define PORTWITNESS_BENCH_TRACE_WRITER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "shim/shared/trace_format.h"

#define TRACE_BEGIN_NS UINT64_C(1000000000)

static FILE *file;
static uint64_t units;
static uint64_t records;
static uint64_t now = TRACE_BEGIN_NS;

static inline void begin(union pw_unit *unit, enum pw_kind kind, unsigned count, uint64_t process,
                         int descriptor, uint64_t cookie) {
    memset(unit, 0, count * sizeof *unit);
    unit[0].start.head = PW_HEAD(PW_TAG_START, count, kind, PW_STATE_COMMITTED);
    for (unsigned i = 1; i < count; i++)
        unit[i].text.head = PW_HEAD(PW_TAG_CONTINUATION, i, kind, 0);
    unit[0].start.process = process;
    unit[0].start.descriptor = descriptor;
    unit[0].start.begin_ns = now;
    unit[0].start.end_ns = now + 900;
    unit[0].start.cookie = cookie;
    unit[0].start.source = PW_SOURCE_SHIM;
    now += 1000;
}

static inline void store(const union pw_unit *unit, unsigned count) {
    if (fwrite(unit, sizeof *unit, count, file) != count) {
        perror("trace");
        exit(1);
    }
    units += count;
    records++;
}

static inline void start_process(uint64_t serial) {
    union pw_unit unit[3];
    begin(unit, PW_KIND_PROCESS_START, 3, serial, -1, 0);
    unit[0].start.flags = PW_FLAG_BY_EXEC;
    unit[1].process.pid = (uint32_t)(1000 + serial);
    unit[1].process.parent_pid = 1;
    unit[1].process.serial = serial;
    unit[1].process.parent = serial > 1 ? 1 : 0;
    unit[1].process.start_time = 100 + serial;
    strcpy(unit[1].process.comm, "server");
    strcpy(unit[2].text.bytes, "server");
    store(unit, 3);
}

static inline void socket_record(enum pw_kind kind, uint64_t process, int descriptor,
                                 uint64_t cookie, unsigned port, uint64_t flags) {
    union pw_unit unit[2];
    begin(unit, kind, 2, process, descriptor, cookie);
    unit[0].start.flags = flags | PW_FLAG_HAS_ASSIGNED;
    unit[1].socket.family = AF_INET;
    unit[1].socket.type = SOCK_STREAM;
    unit[1].socket.netns = 1;
    unit[1].socket.assigned[10] = unit[1].socket.assigned[11] = 0xff;
    unit[1].socket.assigned[12] = 127;
    unit[1].socket.assigned[15] = 1;
    memcpy(unit[1].socket.requested, unit[1].socket.assigned, 16);
    unit[1].socket.assigned_port = (uint16_t)port;
    if ((flags & PW_FLAG_BY_NUMBER) != 0)
        unit[1].socket.requested_port = (uint16_t)port;
    store(unit, 2);
}

static inline void close_record(uint64_t process, int descriptor, uint64_t cookie) {
    union pw_unit unit[1];
    begin(unit, PW_KIND_CLOSE, 1, process, descriptor, cookie);
    store(unit, 1);
}

static inline void open_trace(const char *path) {
    file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    fseek(file, PW_UNITS_OFFSET, SEEK_SET);
}

static inline int close_trace(uint64_t processes) {
    const struct pw_header header = {.magic = PW_MAGIC,
                                     .version = PW_VERSION,
                                     .byte_order = PW_BYTE_ORDER,
                                     .unit_size = PW_UNIT_SIZE,
                                     .units_offset = PW_UNITS_OFFSET,
                                     .policy_offset = PW_HEADER_SIZE,
                                     .policy_size = PW_POLICY_SIZE,
                                     .monotonic_ns = TRACE_BEGIN_NS,
                                     .capacity = PW_UNITS_OFFSET + units * PW_UNIT_SIZE,
                                     .next_unit = units,
                                     .next_process = processes};
    rewind(file);
    fwrite(&header, sizeof header, 1, file);
    return fclose(file) == 0 ? 0 : 1;
}

#endif
