/* Processes that open connections, and so take source ports out of the range. */
#ifndef PORTWITNESS_STORM_BACKGROUND_H
#define PORTWITNESS_STORM_BACKGROUND_H

#include <stdbool.h>
#include <sys/types.h>

struct background {
    pid_t *pids;
    unsigned count;
};

/* Starts `count` processes, each with a listener outside of `low` to `high` and a handful of
 * connections to it over loopback at a time. false with errno set. */
bool background_start(struct background *background, unsigned count, unsigned low, unsigned high);

/* Ends them. */
void background_stop(struct background *background);

#endif
