/* Clocks read past every other preload: libfaketime must not bend the times of a trace. */
#ifndef PORTWITNESS_SHARED_CLOCK_H
#define PORTWITNESS_SHARED_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* The clock in nanoseconds, through the vDSO (vdso(7)) where there is one, else by system call. */
uint64_t clock_ns(clockid_t clock);

/* CLOCK_MONOTONIC as outside of every time namespace (time_namespaces(7)): equal in all processes.
 */
uint64_t clock_host_ns(void);

/* CLOCK_MONOTONIC (as outside of every time namespace) and CLOCK_REALTIME of one moment. */
struct clock_pair {
    uint64_t monotonic_ns;
    uint64_t realtime_ns;
};
struct clock_pair clock_pair(void);

/* Does a pair that was read elsewhere show that this process has the same clock, without a system
 * call: the same boot, and no time namespace between? The two differ by a constant as long as
 * nobody sets the time and the machine does not sleep, and the constant is another in each boot.
 * false: it does not show. For use before clock_find_namespace. */
bool clock_is_shared_with(const struct clock_pair *other);

/* Finds out how far this process's CLOCK_MONOTONIC is from that: once for a program, and in a child
 * that may be in another time namespace. */
void clock_find_namespace(void);

/* The children from now on are in another time namespace, and this process is not. */
void clock_children_differ(void);

/* In a forked child: finds out where that was said. */
void clock_enter_child(void);

/* From now on no system call may come of it: where the vDSO has to ask the kernel for the exact
 * time (its clock source cannot be read by programs), CLOCK_MONOTONIC goes by the kernel's ticks,
 * and where there is no vDSO, it stands still. */
void clock_avoid_syscalls(void);

#endif
