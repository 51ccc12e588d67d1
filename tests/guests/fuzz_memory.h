/* Memory for odd pointers: pages that end before one that cannot be read, some read-only; the same
 * for both twins. See fuzz_calls.c. */
#ifndef FUZZ_MEMORY_H
#define FUZZ_MEMORY_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WRAPPED, BARE, TWINS };

/* Each kind of thing has a page of its own, so that none overwrites another. */
enum area { MAIN, NAME, CONTROL, VECTOR, DATA, LENGTH, TEXT, AREAS };

enum { PAGE = 4096, READABLE = PAGE, READ_ONLY = 3 * PAGE, AREA_BYTES = 5 * PAGE };

static char *arena[TWINS];

static uint64_t random_state;

static uint64_t draw(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static unsigned below(unsigned limit) { return (unsigned)((draw() >> 20) % limit); }

#define PICK(list) (list)[below(sizeof(list) / sizeof *(list))]

static void fail(const char *what) {
    perror(what);
    exit(3);
}

/* NONE, READABLE, NONE, READ_ONLY (the same page again), NONE. */
static void make_arena(void) {
    int file = memfd_create("arena", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, (off_t)TWINS * AREAS * PAGE) != 0)
        fail("memfd_create");
    for (int twin = 0; twin < TWINS; twin++) {
        arena[twin] =
            mmap(NULL, (size_t)AREAS * AREA_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (int area = 0; area < AREAS; area++) {
            char *at = arena[twin] + (size_t)area * AREA_BYTES;
            off_t page = ((off_t)twin * AREAS + area) * PAGE;
            if (mmap(at + READABLE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file,
                     page) == MAP_FAILED ||
                mmap(at + READ_ONLY, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, file, page) ==
                    MAP_FAILED)
                fail("mmap");
        }
    }
    close(file);
}

/* What an earlier call left could be pieces of addresses, which differ from twin to twin. */
static void clear_arena(void) {
    for (int twin = 0; twin < TWINS; twin++)
        for (int area = 0; area < AREAS; area++)
            memset(arena[twin] + (size_t)area * AREA_BYTES + READABLE, 0, PAGE);
}

/* Where a pointer points to, in either twin's arena. */
struct place {
    bool is_bad;
    uint64_t bad;
    enum area area;
    bool is_read_only;
    unsigned offset;
};

static struct place good_place(enum area area, size_t size) {
    struct place place = {.area = area};
    unsigned room = size < PAGE ? PAGE - (unsigned)size : 0;
    switch (below(3)) {
    case 0:
        place.offset = 0;
        break;
    case 1:
        place.offset = room;
        break;
    default:
        place.offset = below(room + 1);
    }
    return place;
}

static struct place bad_place(void) {
    static const uint64_t bad[] = {0, 0, 8, UINT64_C(0xffff800000000000), UINT64_MAX, PAGE};
    return (struct place){.is_bad = true, .bad = PICK(bad)};
}

/* For something of this size: whole, cut by the end of the page, unaligned, bad. */
static struct place draw_place(enum area area, size_t size) {
    static const unsigned cuts[] = {0, 1, 2, 3, 4, 7, 8, 15, 16, 17};
    struct place place = good_place(area, size);
    switch (below(8)) {
    case 0:
    case 1:
        return bad_place();
    case 2:
        place.offset = PAGE - PICK(cuts); /* 0: behind the end */
        break;
    case 3:
        place.is_read_only = true;
        break;
    default:
        break;
    }
    return place;
}

static long address_in(int twin, const struct place *place) {
    if (place->is_bad)
        return (long)place->bad;
    return (long)(arena[twin] + (size_t)place->area * AREA_BYTES +
                  (place->is_read_only ? READ_ONLY : READABLE) + place->offset);
}

/* Writes as much of it as lies in the page. */
static void put_at(int twin, const struct place *place, const void *bytes, size_t size) {
    if (place->is_bad || place->offset >= PAGE)
        return;
    size_t room = PAGE - place->offset;
    memcpy(arena[twin] + (size_t)place->area * AREA_BYTES + READABLE + place->offset, bytes,
           size < room ? size : room);
}

static void put_both(const struct place *place, const void *bytes, size_t size) {
    put_at(WRAPPED, place, bytes, size);
    put_at(BARE, place, bytes, size);
}

static long odd_length(size_t usual) {
    static const long lengths[] = {0,  1,  2,  3,  4,   7,   8,   15,      16,
                                   24, 27, 28, 32, 110, 128, 129, INT_MAX, -1};
    return below(2) == 0 ? (long)usual : PICK(lengths);
}

#endif
