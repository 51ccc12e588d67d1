/* The table of places in the policies' area: which child of which parent each process is. Shared by
 * the shim, `run` and `storm`; lock-free. */
#ifndef PORTWITNESS_SHARED_POLICY_PLACES_H
#define PORTWITNESS_SHARED_POLICY_PLACES_H

#include <stdint.h>
#include <sys/types.h>

#include "shim/shared/policy_format.h"

/* The place of the command itself. */
#define PLACE_ROOT UINT64_C(0x706f727477697421)

/* Every bit of the number concerns every bit of the result. */
uint64_t place_mix(uint64_t number);

/* The place of a process's child; children are counted from 1. Never 0. */
uint64_t place_of_child(uint64_t parent, uint32_t number);

/* The port that a request of that sequence tries at its attempt-th turn, from low to high. */
uint16_t place_port(uint64_t sequence, unsigned attempt, uint16_t low, uint16_t high);

/* The key of a process in the caller's pid namespace. */
uint64_t place_key(pid_t pid);

/* The row of a key; NULL where there is none. */
struct pw_place *place_find(uint64_t key);

/* Gives the process with that key a place, and no children or requests yet. */
struct pw_place *place_enter(uint64_t place, uint64_t key);

#endif
