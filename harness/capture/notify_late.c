/* Kept by socket: kept by thread, a result once reached another socket of that thread. */
#include "harness/capture/notify_late.h"

uint64_t notify_late_hash(const void *bytes, unsigned size) {
    const unsigned char *at = bytes;
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (unsigned i = 0; i < size; i++)
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return hash;
}

void notify_late_keep(struct notify_late *late, uint64_t cookie, int number, uint64_t arguments,
                      int error) {
    unsigned row = late->next++ % NOTIFY_LATE_KEPT;
    late->kept[row].cookie = cookie;
    late->kept[row].number = number;
    late->kept[row].arguments = arguments;
    late->kept[row].error = error;
}

bool notify_late_take(struct notify_late *late, uint64_t cookie, int number, uint64_t arguments,
                      int *error) {
    for (unsigned row = 0; row < NOTIFY_LATE_KEPT && row < late->next; row++) {
        if (late->kept[row].cookie != cookie || late->kept[row].number != number ||
            late->kept[row].arguments != arguments)
            continue;
        *error = late->kept[row].error;
        late->kept[row].cookie = 0;
        return true;
    }
    return false;
}
