/* Writes small traces for tests, byte by byte and without the shim's recorder, so that reader and
 * recorder cannot share a mistake. */
#ifndef PORTWITNESS_UNIT_TRACE_WRITER_H
#define PORTWITNESS_UNIT_TRACE_WRITER_H

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "shim/shared/trace_format.h"

#define WRITER_UNITS 512u

struct trace_writer {
    char path[64];
    struct pw_header header;
    union pw_unit units[WRITER_UNITS];
    unsigned used;
};

/* Begins an empty trace in a new temporary file. */
static inline void writer_begin(struct trace_writer *writer) {
    int file;

    *writer = (struct trace_writer){.path = "/tmp/portwitness-trace-XXXXXX"};
    file = mkstemp(writer->path);
    if (file >= 0)
        close(file);
    memcpy(writer->header.magic, PW_MAGIC, sizeof writer->header.magic);
    writer->header.version = PW_VERSION;
    writer->header.byte_order = PW_BYTE_ORDER;
    writer->header.unit_size = PW_UNIT_SIZE;
    writer->header.units_offset = PW_UNITS_OFFSET;
    writer->header.capacity = PW_UNITS_OFFSET + WRITER_UNITS * (uint64_t)PW_UNIT_SIZE;
    writer->header.policy_offset = PW_HEADER_SIZE;
    writer->header.policy_size = PW_POLICY_SIZE;
    writer->header.monotonic_ns = 1000;
    strcpy(writer->header.host_id, "testhost");
}

/* Adds a record of `count` units, committed, from `begin` to `end`. Its start unit; the others
 * follow it in memory. */
static inline union pw_unit *writer_add(struct trace_writer *writer, enum pw_kind kind,
                                        unsigned count, uint64_t process, int descriptor,
                                        uint64_t cookie, uint64_t begin, uint64_t end) {
    union pw_unit *units = &writer->units[writer->used];

    units->start.head = PW_HEAD(PW_TAG_START, count, kind, PW_STATE_COMMITTED);
    units->start.process = process;
    units->start.descriptor = descriptor;
    units->start.begin_ns = begin;
    units->start.end_ns = end;
    units->start.cookie = cookie;
    units->start.source = PW_SOURCE_SHIM;
    for (unsigned i = 1; i < count; i++)
        units[i].text.head = PW_HEAD(PW_TAG_CONTINUATION, i, kind, 0);
    writer->used += count;
    return units;
}

/* Makes a record one that was begun and never committed. */
static inline void writer_tear(union pw_unit *units) {
    uint32_t head = units->start.head;

    units->start.head =
        PW_HEAD(PW_TAG_START, PW_HEAD_COUNT(head), PW_HEAD_KIND(head), PW_STATE_BEGUN);
}

/* Writes the file whole; next_unit is what was added. */
static inline void writer_store(struct trace_writer *writer) {
    FILE *file = fopen(writer->path, "wb");

    atomic_store(&writer->header.next_unit, writer->used);
    fwrite(&writer->header, sizeof writer->header, 1, file);
    fseek(file, (long)writer->header.units_offset, SEEK_SET);
    fwrite(writer->units, sizeof *writer->units, writer->used, file);
    fclose(file);
    if (truncate(writer->path, (off_t)writer->header.capacity) != 0)
        perror(writer->path);
}

#endif
