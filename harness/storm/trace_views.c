/* Each process meets each page of a shared file with a fault of its own, which takes longer than
 * the record that it is taken for. Between rounds there is time for it. */
#include "harness/storm/trace_views.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "shim/shared/recorder.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* About as much as a round writes. */
#define READY_BYTES (UINT64_C(256) << 10)
#define PAGE UINT64_C(4096)

struct line {
    uintptr_t begin;
    uintptr_t end;
    uint64_t offset;
    unsigned major;
    unsigned minor;
    uint64_t inode;
};

static int next_line(FILE *maps, struct line *line) {
    char text[8192];
    while (fgets(text, sizeof text, maps) != NULL)
        if (sscanf(text, "%" SCNxPTR "-%" SCNxPTR " %*s %" SCNx64 " %x:%x %" SCNu64, &line->begin,
                   &line->end, &line->offset, &line->major, &line->minor, &line->inode) == 6)
            return 1;
    return 0;
}

void trace_views_find(struct trace_views *views, const void *known) {
    struct line line;
    struct line file = {0};
    FILE *maps = fopen("/proc/self/maps", "re");
    views->count = 0;
    if (maps == NULL)
        return;
    while (next_line(maps, &line))
        if (line.begin == (uintptr_t)known)
            file = line;
    rewind(maps);
    while (file.inode != 0 && views->count < TRACE_VIEWS_MAX && next_line(maps, &line)) {
        if (line.inode != file.inode || line.major != file.major || line.minor != file.minor ||
            line.offset != 0)
            continue;
        views->list[views->count].base = (char *)line.begin;
        views->list[views->count++].size = line.end - line.begin;
    }
    fclose(maps);
}

void trace_views_make_ready(const struct trace_views *views) {
    const struct pw_header *header = recorder_header();
    uint64_t next = PW_UNITS_OFFSET + recorder_units_taken() * PW_UNIT_SIZE;
    uint64_t begin = next & ~(PAGE - 1);
    uint64_t end = begin + READY_BYTES;
    uint64_t populated = atomic_load(&header->populated_to) & ~(PAGE - 1);
    if (end > populated)
        end = populated;
    for (unsigned i = 0; i < views->count && begin < end; i++)
        if (end <= views->list[i].size)
            (void)madvise(views->list[i].base + begin, end - begin, MADV_POPULATE_WRITE);
}
