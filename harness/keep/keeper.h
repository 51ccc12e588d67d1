/* The keeper of `run --policy keep`: a process of its own, so that its descriptors, its limits and
 * its death are not those of `run`. */
#ifndef PORTWITNESS_KEEP_KEEPER_H
#define PORTWITNESS_KEEP_KEEPER_H

#include <stdbool.h>
#include <sys/types.h>

struct keeper {
    pid_t pid; /* 0: none */
};

/* Starts it where the attached trace has the policy. false, with errno, where that fails. Before
 * the process has threads. */
bool keeper_start(struct keeper *keeper);

/* Whether it lives, else says so to the guests, who go on as under `kernel`. Cheap; to be called
 * now and then. */
void keeper_look(struct keeper *keeper);

/* Ends it, and with it all that is kept. */
void keeper_stop(struct keeper *keeper);

#endif
