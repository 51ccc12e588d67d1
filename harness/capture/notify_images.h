/* Which program each process under a filter runs, as its calls show it: a program that the shim is
 * not in may execute another, and nobody is told. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_IMAGES_H
#define PORTWITNESS_CAPTURE_NOTIFY_IMAGES_H

#include <stddef.h>

#include "harness/base/map.h"
#include "harness/capture/outside_event.h"

struct notify_image;

/* Zero-initialized it knows nobody. Used by one thread. */
struct notify_images {
    struct map by_pid;
    struct notify_image *list;
    size_t count;
    size_t room;
};

/* The process of a call that waits, begun at that time. Reports OUTSIDE_PROCESS where it was not
 * seen before, and OUTSIDE_EXEC where it runs another program than at its last call, or than its
 * parent at its own: executed between `begin_ns`, when that was answered, and `end_ns`. With what
 * /proc says of it. */
void notify_images_look(struct notify_images *images, const struct outside_event *call,
                        outside_take *take, void *with);

/* That call is about to be answered. */
void notify_images_answered(struct notify_images *images, uint32_t pid, uint64_t ns);

void notify_images_free(struct notify_images *images);

#endif
