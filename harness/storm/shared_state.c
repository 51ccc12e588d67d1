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

uint32_t shared_attempts_room(const struct shared_state *shared) {
    return shared->settings.mappings * ATTEMPTS_PER_MAPPING;
}

uint32_t shared_announced_room(const struct shared_state *shared) {
    return shared->settings.mappings + 1; /* a broken publisher announces more than it may */
}

static void lay_out(struct shared_state *layout) {
    const struct storm_settings *settings = &layout->settings;
    uint64_t publishers = settings->publishers;
    layout->slots_offset = round_up(sizeof *layout);
    layout->attempts_offset = round_up(layout->slots_offset + publishers * sizeof(struct slot));
    layout->announced_offset =
        round_up(layout->attempts_offset +
                 publishers * shared_attempts_room(layout) * sizeof(struct attempt));
    layout->allocators_offset =
        round_up(layout->announced_offset +
                 publishers * shared_announced_room(layout) * sizeof(struct endpoint));
    layout->size =
        round_up(layout->allocators_offset + settings->daemons * sizeof(struct allocator));
}

struct shared_state *shared_create(const struct storm_settings *settings, int *descriptor) {
    struct shared_state layout = {.settings = *settings};
    lay_out(&layout);
    int file = memfd_create("portwitness-shared", MFD_CLOEXEC);
    if (file < 0)
        return NULL;
    if (ftruncate(file, (off_t)layout.size) != 0) {
        close(file);
        return NULL;
    }
    struct shared_state *shared = shared_open(file);
    if (shared == NULL) {
        close(file);
        return NULL;
    }
    *shared = layout;
    for (uint32_t i = 0; i < settings->daemons; i++)
        allocator_prepare(shared_allocator(shared, i));
    *descriptor = file;
    return shared;
}

struct shared_state *shared_open(int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return NULL;
    void *base =
        mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    return base == MAP_FAILED ? NULL : base;
}

void shared_close(struct shared_state *shared) { munmap(shared, shared->size); }

static void *part(struct shared_state *shared, uint64_t offset) { return (char *)shared + offset; }

struct slot *shared_slot(struct shared_state *shared, uint32_t index) {
    return (struct slot *)part(shared, shared->slots_offset) + index;
}

struct attempt *shared_attempts(struct shared_state *shared, uint32_t index) {
    return (struct attempt *)part(shared, shared->attempts_offset) +
           (uint64_t)index * shared_attempts_room(shared);
}

struct endpoint *shared_announced(struct shared_state *shared, uint32_t index) {
    return (struct endpoint *)part(shared, shared->announced_offset) +
           (uint64_t)index * shared_announced_room(shared);
}

struct allocator *shared_allocator(struct shared_state *shared, uint32_t index) {
    return (struct allocator *)part(shared, shared->allocators_offset) + index;
}

void shared_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t most_ns) {
    const struct timespec most = {.tv_sec = (time_t)(most_ns / 1000000000u),
                                  .tv_nsec = (long)(most_ns % 1000000000u)};
    syscall(SYS_futex, word, FUTEX_WAIT, seen, &most, NULL, 0);
}

void shared_wake(_Atomic uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
