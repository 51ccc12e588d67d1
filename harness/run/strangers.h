/* The processes of the machine that are none of the command's: with --capture=host events show
 * their sockets as well. */
#ifndef PORTWITNESS_RUN_STRANGERS_H
#define PORTWITNESS_RUN_STRANGERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/base/map.h"
#include "harness/capture/outside_event.h"

struct stranger;

/* Zero-initialized it knows nobody. */
struct strangers {
    uint64_t own_namespace; /* inode of our own pid namespace */
    struct map by_pid;      /* to the number of the latest one that was met in it */
    struct stranger *list;
    size_t count;
    size_t room;
};

/* Who made the call of this event: a number, never 0. What /proc says of him is read at once, for
 * he may end at any time. */
uint32_t strangers_meet(struct strangers *strangers, const struct outside_event *event);

/* When the stranger with that number started, in clock ticks since boot; 0: not known. */
uint64_t strangers_start_time(const struct strangers *strangers, uint32_t number);

/* The serial of the stranger with that number, after records of who he is. 0: the trace is full. */
uint64_t strangers_serial(struct strangers *strangers, uint32_t number);

/* Frees all. */
void strangers_free(struct strangers *strangers);

#endif
