/* `soonest` is an adversary, and must be a fair one: a program that asks for numbers until it is
 * given one that it has not had yet would never end if it were given its own again each time. */
#ifndef PORTWITNESS_POLICY_OWN_H
#define PORTWITNESS_POLICY_OWN_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/policy_space.h"

/* This process let the port go. */
void policy_own_released(const struct policy_space *space, uint16_t port);

/* Whether it ever did. */
bool policy_own_has(const struct policy_space *space, uint16_t port);

/* A request was answered with the port; 0: with one of the kernel's choice. */
void policy_own_given(const struct policy_space *space, uint16_t port);

/* Whether the process was given numbers of its own twice in a row: the next is to be another's, or
 * the kernel's choice. */
bool policy_own_is_enough(void);

#endif
