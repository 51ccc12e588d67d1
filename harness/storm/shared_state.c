/* Two thousand publishers cannot have two thousand descriptors each in one process without meeting
 * its limit; a shared mapping with futexes needs one. */
#include "harness/storm/shared_state.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t round_up(uint64_t bytes) { return (bytes + 4095) & ~UINT64_C(4095); }

uint32_t board_attempts_room(const struct board *board) {
    return board->settings.mappings * ATTEMPTS_PER_MAPPING;
}

uint32_t board_announced_room(const struct board *board) {
    return board->settings.mappings + 1; /* a broken publisher announces more than it may */
}

static void lay_out(struct board *layout) {
    const struct board_settings *settings = &layout->settings;
    uint64_t publishers = settings->publishers;
    layout->slots_offset = round_up(sizeof *layout);
    layout->attempts_offset = round_up(layout->slots_offset + publishers * sizeof(struct slot));
    layout->announced_offset =
        round_up(layout->attempts_offset +
                 publishers * board_attempts_room(layout) * sizeof(struct attempt));
    layout->allocators_offset =
        round_up(layout->announced_offset +
                 publishers * board_announced_room(layout) * sizeof(struct endpoint));
    layout->size =
        round_up(layout->allocators_offset + settings->daemons * sizeof(struct allocator));
}

struct board *board_create(const struct board_settings *settings, int *descriptor) {
    struct board layout = {.settings = *settings};
    lay_out(&layout);
    int file = memfd_create("portwitness-board", MFD_CLOEXEC);
    if (file < 0)
        return NULL;
    if (ftruncate(file, (off_t)layout.size) != 0) {
        close(file);
        return NULL;
    }
    struct board *board = board_open(file);
    if (board == NULL) {
        close(file);
        return NULL;
    }
    *board = layout;
    for (uint32_t i = 0; i < settings->daemons; i++)
        allocator_prepare(board_allocator(board, i));
    *descriptor = file;
    return board;
}

struct board *board_open(int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return NULL;
    void *base =
        mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    return base == MAP_FAILED ? NULL : base;
}

void board_close(struct board *board) { munmap(board, board->size); }

static void *part(struct board *board, uint64_t offset) { return (char *)board + offset; }

struct slot *board_slot(struct board *board, uint32_t index) {
    return (struct slot *)part(board, board->slots_offset) + index;
}

struct attempt *board_attempts(struct board *board, uint32_t index) {
    return (struct attempt *)part(board, board->attempts_offset) +
           (uint64_t)index * board_attempts_room(board);
}

struct endpoint *board_announced(struct board *board, uint32_t index) {
    return (struct endpoint *)part(board, board->announced_offset) +
           (uint64_t)index * board_announced_room(board);
}

struct allocator *board_allocator(struct board *board, uint32_t index) {
    return (struct allocator *)part(board, board->allocators_offset) + index;
}

void board_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t most_ns) {
    const struct timespec most = {.tv_sec = (time_t)(most_ns / 1000000000u),
                                  .tv_nsec = (long)(most_ns % 1000000000u)};
    syscall(SYS_futex, word, FUTEX_WAIT, seen, &most, NULL, 0);
}

void board_wake(_Atomic uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
