/* What a check found: that it agrees, or what differs. */
#ifndef PORTWITNESS_STORM_CHECKS_CHECK_RESULT_H
#define PORTWITNESS_STORM_CHECKS_CHECK_RESULT_H

#include <stdint.h>

/* Zero-initialized it agrees. */
struct verdict {
    uint64_t differences;
    char first[240]; /* the first one, in words */
};

/* Notes a difference. */
void verdict_differs(struct verdict *verdict, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds what another verdict of the same check holds. */
void verdict_add(struct verdict *sum, const struct verdict *more);

#endif
