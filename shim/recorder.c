/*
 * Records are taken with one atomic add and written straight into shared memory, so that a process
 * may be killed at any instruction and every committed record is still there. Nothing here locks,
 * allocates or touches errno.
 */
#include "shim/recorder.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "shim/clock.h"
#include "shim/raw_syscall.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum {
    VIEWS_MAX = 24,           /* view i covers first_size << i bytes */
    POPULATE_STEP = 64 * 1024 /* a guest that must make room itself does it in small pieces */
};

/* Views only grow and are never unmapped, so pointers into an old one stay good. */
static _Atomic(char *) views[VIEWS_MAX];
static size_t first_size;
static _Atomic unsigned newest_view;

uint64_t monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

void recorder_attach(void *base, size_t size) {
    for (unsigned i = 1; i < VIEWS_MAX; i++)
        atomic_store_explicit(&views[i], NULL, memory_order_relaxed);
    first_size = size;
    atomic_store_explicit(&newest_view, 0, memory_order_relaxed);
    atomic_store_explicit(&views[0], base, memory_order_release);
}

struct pw_header *recorder_header(void) {
    return (struct pw_header *)(void *)atomic_load_explicit(&views[0], memory_order_acquire);
}

void recorder_lost(enum pw_lost cause, uint64_t count) {
    struct pw_header *header = recorder_header();
    if (header != NULL)
        atomic_fetch_add_explicit(&header->lost[cause], count, memory_order_relaxed);
}

static uint64_t address_space_limit(void) {
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
    raw_syscall4(SYS_prlimit64, 0, RLIMIT_AS, 0, RAW(&limit));
    return limit.rlim_cur;
}

/* Maps a larger view of the same file without a descriptor: mremap with an old size of 0 duplicates
 * a shared mapping (mremap(2)). NULL where the address space or the table is used up. */
static char *grow_view(uint64_t end) {
    unsigned index = atomic_load_explicit(&newest_view, memory_order_acquire);
    while (index < VIEWS_MAX && ((uint64_t)first_size << index) < end)
        index++;
    if (index == VIEWS_MAX)
        return NULL;
    char *view = atomic_load_explicit(&views[index], memory_order_acquire);
    if (view != NULL)
        return view;
    uint64_t size = (uint64_t)first_size << index;
    uint64_t capacity = recorder_header()->capacity;
    if (size > capacity)
        size = capacity;
    if (size > address_space_limit() / 8)
        return NULL; /* the rest is the guest's */
    long answer =
        raw_syscall6(SYS_mremap, RAW(recorder_header()), 0, (long)size, MREMAP_MAYMOVE, 0, 0);
    if (answer < 0 && answer > -4096)
        return NULL;
    char *expected = NULL;
    if (!atomic_compare_exchange_strong(&views[index], &expected, (char *)answer)) {
        raw_syscall3(SYS_munmap, answer, (long)size, 0);
        return expected;
    }
    atomic_store_explicit(&newest_view, index, memory_order_release);
    return (char *)answer;
}

static char *view_covering(uint64_t end) {
    unsigned index = atomic_load_explicit(&newest_view, memory_order_acquire);
    if (end <= ((uint64_t)first_size << index))
        return atomic_load_explicit(&views[index], memory_order_acquire);
    return grow_view(end);
}

static void raise_to(_Atomic uint64_t *word, uint64_t value) {
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
    while (seen < value && !atomic_compare_exchange_weak_explicit(
                               word, &seen, value, memory_order_release, memory_order_relaxed))
        ;
}

int recorder_populate(uint64_t to, uint64_t step) {
    struct pw_header *header = recorder_header();
    if (header == NULL)
        return EINVAL;
    if (to > header->capacity)
        to = header->capacity;
    uint64_t from = atomic_load_explicit(&header->populated_to, memory_order_acquire);
    while (from < to) {
        uint64_t end = step != 0 && to - from > step ? from + step : to;
        char *view = view_covering(end);
        if (view == NULL)
            return ENOMEM;
        /* The whole gap from the word on, so that the word never speaks for a page that another
         * process has still to make. It begins at a boundary that is one for every page size. */
        uint64_t begin = from & ~(uint64_t)(POPULATE_STEP - 1);
        long answer =
            raw_syscall3(SYS_madvise, RAW(view + begin), (long)(end - begin), MADV_POPULATE_WRITE);
        if (answer == -EINTR || answer == -EAGAIN)
            continue;
        if (answer < 0)
            return (int)-answer;
        raise_to(&header->populated_to, end);
        from = end;
    }
    return 0;
}

/* Makes sure that a store to the bytes before `end` cannot raise SIGBUS. */
static bool make_room(struct pw_header *header, uint64_t end) {
    if (end <= atomic_load_explicit(&header->populated_to, memory_order_acquire))
        return true;
    uint64_t to = (end + POPULATE_STEP) & ~(uint64_t)(POPULATE_STEP - 1);
    int error = recorder_populate(to, POPULATE_STEP);
    if (error == 0 || end <= atomic_load_explicit(&header->populated_to, memory_order_acquire))
        return true;
    if (error == EFAULT || error == ENOSPC) {
        atomic_store_explicit(&header->stopped, PW_STOP_DISK_FULL, memory_order_relaxed);
        recorder_lost(PW_LOST_DISK_FULL, 1);
        return false;
    }
    recorder_lost(error == ENOMEM ? PW_LOST_NO_ADDRESS_SPACE : PW_LOST_NOT_POPULATED, 1);
    return false;
}

static void count_stopped(const struct pw_header *header) {
    unsigned stopped = atomic_load_explicit(&header->stopped, memory_order_relaxed);
    recorder_lost(stopped == PW_STOP_MAX_SIZE ? PW_LOST_MAX_SIZE : PW_LOST_DISK_FULL, 1);
}

bool record_begin(struct record *record, enum pw_kind kind, unsigned count, uint64_t process,
                  int descriptor, uint64_t begin_ns) {
    struct pw_header *header = recorder_header();
    if (header == NULL)
        return false;
    if (atomic_load_explicit(&header->stopped, memory_order_relaxed) != PW_STOP_NONE) {
        count_stopped(header);
        return false;
    }
    uint64_t first = atomic_fetch_add_explicit(&header->next_unit, count, memory_order_relaxed);
    uint64_t begin = PW_UNITS_OFFSET + first * PW_UNIT_SIZE;
    uint64_t end = begin + (uint64_t)count * PW_UNIT_SIZE;
    if (end > header->capacity) {
        atomic_store_explicit(&header->stopped, PW_STOP_MAX_SIZE, memory_order_relaxed);
        recorder_lost(PW_LOST_MAX_SIZE, 1);
        return false;
    }
    char *view = view_covering(end);
    if (view == NULL) {
        recorder_lost(PW_LOST_NO_ADDRESS_SPACE, 1);
        return false;
    }
    if (!make_room(header, end))
        return false;

    union pw_unit *units = (union pw_unit *)(void *)(view + begin);
    units->start.process = process;
    units->start.descriptor = descriptor;
    units->start.begin_ns = begin_ns;
    for (unsigned i = 1; i < count; i++)
        units[i].text.head = PW_HEAD(PW_TAG_CONTINUATION, i, kind, 0);
    atomic_store_explicit(&units->start.head, PW_HEAD(PW_TAG_START, count, kind, PW_STATE_BEGUN),
                          memory_order_release);
    record->units = units;
    record->number = first;
    record->count = count;
    return true;
}

void record_change_kind(struct record *record, enum pw_kind kind) {
    for (unsigned i = 1; i < record->count; i++)
        record->units[i].text.head = PW_HEAD(PW_TAG_CONTINUATION, i, kind, 0);
    atomic_store_explicit(&record->units->start.head,
                          PW_HEAD(PW_TAG_START, record->count, kind, PW_STATE_BEGUN),
                          memory_order_release);
}

struct pw_numbers *record_numbers(struct record *record) {
    struct pw_numbers *numbers = &record->units[1].numbers;
    numbers->code = 0;
    memset(numbers->number, 0, sizeof numbers->number);
    return numbers;
}

void record_commit(struct record *record, uint64_t end_ns) {
    struct pw_start *start = &record->units->start;
    uint32_t head = atomic_load_explicit(&start->head, memory_order_relaxed);
    start->end_ns = end_ns != 0 ? end_ns : monotonic_ns();
    atomic_store_explicit(
        &start->head, PW_HEAD(PW_TAG_START, record->count, PW_HEAD_KIND(head), PW_STATE_COMMITTED),
        memory_order_release);
}

unsigned record_text_units(size_t length, unsigned most) {
    size_t units = (length + PW_TEXT_BYTES - 1) / PW_TEXT_BYTES;
    return units > most ? most : (unsigned)units;
}

bool record_text(struct record *record, unsigned index, const char *text, size_t length) {
    for (; index < record->count && length > 0; index++) {
        size_t part = length > PW_TEXT_BYTES ? PW_TEXT_BYTES : length;
        memcpy(record->units[index].text.bytes, text, part);
        text += part;
        length -= part;
    }
    return length == 0;
}
