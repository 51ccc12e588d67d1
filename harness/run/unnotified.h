/* Programs that were to be notified and are not: how many, why, and what would help. */
#ifndef PORTWITNESS_RUN_UNNOTIFIED_H
#define PORTWITNESS_RUN_UNNOTIFIED_H

#include <stdint.h>
#include <stdio.h>

#include "harness/capture/notify_supervisor.h"

/* By enum pw_notify_count. Zero-initialized there are none. */
struct unnotified {
    uint64_t count[PW_NOTIFY_COUNTS];
    int error[PW_NOTIFY_COUNTS];
};

/* `supervisor` NULL: nobody was. */
void unnotified_read(struct unnotified *unnotified, const struct notify_supervisor *supervisor);

/* How many programs could not be put under a filter, or have nobody who answers. */
uint64_t unnotified_sum(const struct unnotified *unnotified);

/* A line for each cause that there was. */
void unnotified_print(const struct unnotified *unnotified, FILE *out);

#endif
