/* Processes that left the command's control group, outside of which eBPF sees nobody. Where the
 * shim is in one it sees it all the same, which may only show later. */
#ifndef PORTWITNESS_RUN_DEPARTED_H
#define PORTWITNESS_RUN_DEPARTED_H

#include <stddef.h>
#include <stdint.h>

#include "harness/capture/outside_event.h"

/* Zero-initialized there are none. */
struct departed {
    struct departed_process *list;
    size_t count;
    size_t room;
};

/* A process has left, by its event OUTSIDE_LEFT. */
void departed_add(struct departed *departed, const struct outside_event *event);

/* The shim recorded a program in that pid from that time on: takes out who left later. */
void departed_seen(struct departed *departed, uint32_t pid, uint64_t begin_ns);

/* Writes a blind spot for each that is left. */
void departed_record(const struct departed *departed);

/* Frees all. */
void departed_free(struct departed *departed);

#endif
