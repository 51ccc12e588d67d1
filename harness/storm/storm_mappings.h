/* The port mappings that a storm publishes. */
#ifndef PORTWITNESS_STORM_STORM_MAPPINGS_H
#define PORTWITNESS_STORM_STORM_MAPPINGS_H

#include "harness/storm/shared_state.h"

/* Fills settings->mapping from the file, or with the built-in ones where it is NULL. SCTP mappings
 * are left out and counted where the kernel has no SCTP. false, with one line on stderr, for bad
 * input. */
bool storm_mappings_read(struct storm_settings *settings, const char *file, unsigned *left_out);

#endif
