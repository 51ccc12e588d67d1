/* Clocks read past every other preload: libfaketime must not bend the times of a trace. */
#ifndef PORTWITNESS_CLOCK_H
#define PORTWITNESS_CLOCK_H

#include <stdint.h>
#include <time.h>

/* The clock in nanoseconds, through the vDSO (vdso(7)) where there is one, else by system call. */
uint64_t clock_ns(clockid_t clock);

#endif
