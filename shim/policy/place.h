/*
 * Where this process stands in the tree of the run, for the policy `seeded`: which child of which
 * parent, whatever its pid. The place outlives exec and is handed to each child by its parent.
 */
#ifndef PORTWITNESS_POLICY_PLACE_H
#define PORTWITNESS_POLICY_PLACE_H

#include <stdint.h>
#include <sys/types.h>

/* A number that depends on the seed, this process's place and how many requests it has made
 * before, which it counts. From it place_port makes the sequence of a request. */
uint64_t policy_place_request(void);

/* Around the making of a child that the shim sees: takes the next place under this process, 0
 * where the policy is another one. */
uint64_t policy_place_next(void);

/* Enters a child by its pid (0: the calling process) at the place that policy_place_next gave. */
void policy_place_enter(uint64_t place, pid_t pid);

/* The next child that comes without having been entered by pid gets this place (0: none does):
 * system(3) and popen(3) do not return the pid. */
void policy_place_announce(uint64_t place);

/* In a parent before vfork, and in its child before exec: the child runs in the parent's memory and
 * so knows the place that was taken for it. */
void policy_place_before_vfork(void);
void policy_place_enter_vfork_child(void);

/* At the start of a program: takes a place that was announced, while it still is the latest. */
void policy_place_enter_image(void);

/* The process ends: its row is free. */
void policy_place_leave(void);

#endif
