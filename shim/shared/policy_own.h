/* `soonest` is an adversary, and must be a fair one: a program that asks for numbers until it is
 * given one that it has not had yet would never end if it were given its own again each time. */
#ifndef PORTWITNESS_SHARED_POLICY_OWN_H
#define PORTWITNESS_SHARED_POLICY_OWN_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/shared/policy_space.h"

/* This thread of the process released the port, and its stamp says so. */
void policy_own_released(const struct policy_space *space, uint16_t port, uint32_t stamp,
                         uint32_t thread);

/* Whether it was this thread that released the port. */
bool policy_own_is_of_thread(const struct policy_space *space, uint16_t port, uint32_t stamp,
                             uint32_t thread);

/* Whether this thread was given the port twice in a row, having been the one that released it each
 * time: the next to have it is another one. `stamp` is the port's. */
bool policy_own_is_enough(const struct policy_space *space, uint16_t port, uint32_t stamp,
                          uint32_t thread);

/* It was left to the kernel instead, or asked for by number; the port may be given again. */
void policy_own_restart(const struct policy_space *space, uint16_t port);

/* The thread is given a port with that stamp. */
void policy_own_given(const struct policy_space *space, uint16_t port, uint32_t stamp,
                      uint32_t thread);

#endif
