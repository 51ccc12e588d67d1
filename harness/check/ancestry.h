/* Who descends from whom, so that a number can have been handed down. */
#ifndef PORTWITNESS_CHECK_ANCESTRY_H
#define PORTWITNESS_CHECK_ANCESTRY_H

#include "harness/check/machine.h"

/* The process that an image runs in, named by its first image; 0 for 0. */
uint64_t ancestry_process(const struct machine *machine, uint64_t serial);

/* The process that made that one, 0 if not known. */
uint64_t ancestry_parent(const struct machine *machine, uint64_t serial);

/* The same process (whatever it executed since), or one an ancestor of the other. */
bool ancestry_is_related(const struct machine *machine, uint64_t one, uint64_t other);

/* One step up, over a fork or an exec: the image before this one; 0 at the top. */
uint64_t ancestry_step(const struct machine *machine, uint64_t serial);

/* The image that made the process of this one; 0: not known. */
uint64_t ancestry_maker(const struct machine *machine, uint64_t serial);

/* Is `upper` the same process as `lower`, or an ancestor of it? */
bool ancestry_is_above(const struct machine *machine, uint64_t upper, uint64_t lower);

/* Is `one` the same process as `other`, by way of exec? */
bool ancestry_is_same(const struct machine *machine, uint64_t one, uint64_t other);

/* Have they a common ancestor at most three generations above each? */
bool ancestry_is_sibling(const struct machine *machine, uint64_t one, uint64_t other);

/* The nearest process that is above both, or is one of them and above the other: named by its first
 * image; 0: not known. */
uint64_t ancestry_common(const struct machine *machine, uint64_t one, uint64_t other);

/* When the program image that the process runs began, by the earliest record of it or, where it was
 * forked, of the process that started that image. 0: not known. */
uint64_t ancestry_program_began_ns(const struct machine *machine, uint64_t serial);

/* What the process ended with, as of waitpid(2), also where it executed another program since; -1
 * if not known. */
int ancestry_status(const struct machine *machine, uint64_t serial);

#endif
