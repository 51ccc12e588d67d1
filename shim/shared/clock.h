/* Clocks read past every other preload: libfaketime must not bend the times of a trace. */
#ifndef PORTWITNESS_SHARED_CLOCK_H
#define PORTWITNESS_SHARED_CLOCK_H

#include <stdint.h>
#include <time.h>

/* The clock in nanoseconds, through the vDSO (vdso(7)) where there is one, else by system call. */
uint64_t clock_ns(clockid_t clock);

/* From now on no system call may come of it: where the vDSO has to ask the kernel for the exact
 * time (its clock source cannot be read by programs), CLOCK_MONOTONIC goes by the kernel's ticks,
 * and where there is no vDSO, it stands still. */
void clock_avoid_syscalls(void);

#endif
