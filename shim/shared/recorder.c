/*
 * Records are taken with one atomic add and written straight into shared memory, so that a process
 * may be killed at any instruction and every committed record is still there. Nothing here locks,
 * allocates or touches errno.
 */
#include "shim/shared/recorder.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "shim/shared/clock.h"
#include "shim/shared/raw_syscall.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum {
    VIEWS_MAX = 24,        /* view i covers first_size << i bytes */
    PIECE_MOST = 64 * 1024 /* a guest that must make room itself does it in small pieces */
};

/* Views only grow and are never unmapped, so pointers into an old one stay good. */
static _Atomic(char *) views[VIEWS_MAX];
static size_t first_size;
static _Atomic unsigned newest_view;

/* All that finds a place in the trace is in our own memory: whoever may write to the trace would
 * otherwise send us anywhere. */
static struct trace_facts facts;
static uint64_t units_most;
static uint64_t page;               /* bytes, as the kernel has them */
static _Atomic uint64_t own_pieces; /* the last that we made room for: OWN_PIECE */

uint64_t monotonic_ns(void) { return clock_host_ns(); }

void recorder_attach(const struct trace_map *map) {
    for (unsigned i = 1; i < VIEWS_MAX; i++)
        atomic_store_explicit(&views[i], NULL, memory_order_relaxed);
    first_size = map->size;
    facts = map->facts;
    units_most =
        facts.capacity > PW_UNITS_OFFSET ? (facts.capacity - PW_UNITS_OFFSET) / PW_UNIT_SIZE : 0;
    unsigned long bytes = getauxval(AT_PAGESZ);
    page = bytes != 0 && bytes <= PIECE_MOST ? bytes : 4096;
    atomic_store_explicit(&own_pieces, 0, memory_order_relaxed);
    atomic_store_explicit(&newest_view, 0, memory_order_relaxed);
    atomic_store_explicit(&views[0], map->base, memory_order_release);
}

struct pw_header *recorder_header(void) {
    return (struct pw_header *)(void *)atomic_load_explicit(&views[0], memory_order_acquire);
}

const struct trace_facts *recorder_facts(void) { return &facts; }

uint64_t recorder_units_taken(void) {
    const struct pw_header *header = recorder_header();
    uint64_t taken =
        header != NULL ? atomic_load_explicit(&header->next_unit, memory_order_relaxed) : 0;
    return taken < units_most ? taken : units_most;
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

static uint64_t size_of_view(unsigned index) {
    uint64_t size = (uint64_t)first_size << index;
    return index > 0 && size > facts.capacity ? facts.capacity : size;
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
    uint64_t size = size_of_view(index);
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

int recorder_populate(uint64_t from, uint64_t to) {
    if (to > facts.capacity)
        to = facts.capacity;
    if (from >= to)
        return 0;
    char *view = view_covering(to);
    if (view == NULL)
        return ENOMEM;
    long answer;
    uint64_t begin = from & ~(page - 1);
    do
        answer =
            raw_syscall3(SYS_madvise, RAW(view + begin), (long)(to - begin), MADV_POPULATE_WRITE);
    while (answer == -EINTR || answer == -EAGAIN);
    return answer < 0 ? (int)-answer : 0;
}

bool recorder_is_written(uint64_t end, unsigned most) {
    uint64_t last = end > PW_UNITS_OFFSET ? (end - PW_UNITS_OFFSET) / PW_UNIT_SIZE : 0;
    const char *view = last <= units_most ? view_covering(end) : NULL;
    if (view == NULL)
        return false;
    const union pw_unit *units = (const union pw_unit *)(const void *)(view + PW_UNITS_OFFSET);
    for (uint64_t i = last; i > 0 && last - i < most; i--)
        if (atomic_load_explicit(&units[i - 1].start.head, memory_order_relaxed) != 0)
            return true;
    return false;
}

union pw_unit *recorder_units(uint64_t number, unsigned count) {
    if (number >= recorder_units_taken() || count > recorder_units_taken() - number)
        return NULL;
    uint64_t begin = PW_UNITS_OFFSET + number * PW_UNIT_SIZE;
    char *view = view_covering(begin + (uint64_t)count * PW_UNIT_SIZE);
    return view != NULL ? (union pw_unit *)(void *)(view + begin) : NULL;
}

bool recorder_abandon(const void *address) {
    bool is_ours = false;
    for (unsigned i = 0; i < VIEWS_MAX; i++) {
        const char *view = atomic_load_explicit(&views[i], memory_order_acquire);
        if (view != NULL && (const char *)address >= view &&
            (uint64_t)((const char *)address - view) < size_of_view(i))
            is_ours = true;
    }
    for (unsigned i = 0; is_ours && i < VIEWS_MAX; i++) {
        char *view = atomic_load_explicit(&views[i], memory_order_acquire);
        if (view != NULL &&
            raw_syscall6(SYS_mmap, RAW(view), (long)size_of_view(i), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
                         0) != RAW(view))
            return false;
    }
    if (is_ours)
        atomic_store_explicit(&recorder_header()->stopped, PW_STOP_DISK_FULL, memory_order_relaxed);
    return is_ours;
}

static void raise_to(_Atomic uint64_t *word, uint64_t value) {
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
    while (seen < value && !atomic_compare_exchange_weak_explicit(
                               word, &seen, value, memory_order_release, memory_order_relaxed))
        ;
}

/* The word covers every page before it. An impossible value is ignored; a wrong one that is
 * possible takes no more than the room that is left on the disk. */
static uint64_t room_to(const struct pw_header *header) {
    uint64_t to = atomic_load_explicit(&header->populated_to, memory_order_acquire);
    return to <= facts.capacity ? to : 0;
}

/* Where the room ends and how much it is, in one word, which a signal handler cannot see in halves.
 * Whole pages, so the lower bits are free. */
static uint64_t own_piece(uint64_t end, uint64_t pages) { return end | pages; }
static uint64_t own_end(uint64_t piece) { return piece & ~(page - 1); }
static uint64_t own_size(uint64_t piece) { return (piece & (page - 1)) * page; }

/* For what the record touches: how much room there is before it, or whether there is any, we should
 * only know from a word that anybody may write. Each page costs what the fault of a first store
 * would, and most processes write little: one page first, and twice as much whenever that is used
 * up. */
static int make_own_room(struct pw_header *header, uint64_t begin, uint64_t end) {
    uint64_t own = atomic_load_explicit(&own_pieces, memory_order_relaxed);
    if (end <= own_end(own) && begin >= own_end(own) - own_size(own))
        return 0;
    uint64_t first = begin & ~(page - 1);
    uint64_t size = 2 * own_size(own) < PIECE_MOST ? 2 * own_size(own) : PIECE_MOST;
    uint64_t to = first + (size != 0 ? size : page);
    if (to < end)
        to = (end + page - 1) & ~(page - 1);
    if (to > facts.capacity)
        to = facts.capacity & ~(page - 1);
    int error = recorder_populate(first, end > to ? end : to);
    if (error != 0)
        return error;
    uint64_t pages = (to - first) / page;
    if (pages < page)
        atomic_store_explicit(&own_pieces, own_piece(to, pages), memory_order_relaxed);
    uint64_t known = room_to(header);
    if (known != 0 && known >= first) /* no gap between */
        raise_to(&header->populated_to, to);
    return 0;
}

void recorder_make_room_ahead(uint64_t bytes) {
    struct pw_header *header = recorder_header();
    uint64_t begin = PW_UNITS_OFFSET + recorder_units_taken() * PW_UNIT_SIZE;
    if (header != NULL && begin < facts.capacity)
        make_own_room(header, begin,
                      bytes < facts.capacity - begin ? begin + bytes : facts.capacity);
}

/* Makes sure that a store to the bytes from `begin` to `end` cannot raise SIGBUS. */
static bool make_room(struct pw_header *header, uint64_t begin, uint64_t end) {
    /* Where we may ask for nothing, the word has to do. */
    if (raw_syscalls_are_forbidden() && end <= room_to(header))
        return true;
    int error = make_own_room(header, begin, end);
    if (error == 0)
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
    if (first >= units_most || count > units_most - first) {
        atomic_store_explicit(&header->stopped, PW_STOP_MAX_SIZE, memory_order_relaxed);
        recorder_lost(PW_LOST_MAX_SIZE, 1);
        return false;
    }
    uint64_t begin = PW_UNITS_OFFSET + first * PW_UNIT_SIZE;
    uint64_t end = begin + (uint64_t)count * PW_UNIT_SIZE;
    char *view = view_covering(end);
    if (view == NULL) {
        recorder_lost(PW_LOST_NO_ADDRESS_SPACE, 1);
        return false;
    }
    if (!make_room(header, begin, end))
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
