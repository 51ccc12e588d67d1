/* The tokens stand in the trace, which others may write to: a wrong one only has the call notified.
 */
#include "shim/process/notified_pass.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "shim/process/sandbox.h"
#include "shim/shared/guest_memory.h"
#include "shim/shared/notify_filter.h"
#include "shim/shared/notify_join.h"
#include "shim/shared/raw_syscall.h"
#include "shim/shared/recorder.h"

enum { REGION_BYTES = 65536, PLACE_BYTES = 128, PLACES = REGION_BYTES / PLACE_BYTES };

_Static_assert(sizeof(struct sockaddr_storage) <= PLACE_BYTES, "a place holds any address");

struct notified_pass notified_pass;

/* A thread that is cancelled in the call leaves its place taken; there are enough. */
static _Atomic unsigned char taken[PLACES];

static char *map_region(uint64_t region) {
    long memory = raw_syscall6(SYS_mmap, (long)region, REGION_BYTES, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    return memory == (long)region ? (char *)(uintptr_t)region : NULL;
}

static int claim_place(void) {
    for (int i = 0; i < PLACES; i++)
        if (atomic_load_explicit(&taken[i], memory_order_relaxed) == 0 &&
            atomic_exchange(&taken[i], 1) == 0)
            return i;
    return -1;
}

int pass_connect(int fd, const struct sockaddr *address, socklen_t length) {
    int place = -1;
    if (notified_pass.region != NULL && length <= PLACE_BYTES && !sandbox_is_on())
        place = claim_place();
    if (place < 0)
        return real.connect(fd, address, length);
    char *copy = notified_pass.region + (size_t)place * PLACE_BYTES;
    int result = guest_copy(copy, address, length)
                     ? real.connect(fd, (const struct sockaddr *)(const void *)copy, length)
                     : real.connect(fd, address, length);
    atomic_store(&taken[place], 0);
    return result;
}

void notified_pass_begin(void) {
    struct pw_header *header = recorder_header();
    const struct pw_notify_area *area = notify_area(header);
    bool is_filtered = area != NULL && notify_filter_is_on();
    notified_pass = (struct notified_pass){.region = notified_pass.region};
    if (header == NULL || (!is_filtered && (recorder_facts()->capture & PW_CAPTURE_KERNEL) == 0))
        return;
    uint64_t token[2];
    notify_tokens(header, token);
    notified_pass.token[0] = (long)token[0];
    notified_pass.token[1] = (long)token[1];
    if (is_filtered && notified_pass.region == NULL)
        notified_pass.region = map_region(area->region);
}
