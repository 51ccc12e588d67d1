/* Room in the trace ahead of its writers, so that no guest waits for the disk. */
#ifndef PORTWITNESS_TRACE_POPULATE_H
#define PORTWITNESS_TRACE_POPULATE_H

#include <stdbool.h>
#include <stdint.h>

/* Makes the first room and starts a thread that keeps ahead of the writers of the attached trace.
 * To be called when signals are blocked and the command is started. */
void populate_start(void);

/* Ends the thread. */
void populate_stop(void);

/* How many bytes are surely used, when so many were before: what the header says, as far as there
 * is `room` and something is written there. */
uint64_t populate_used(uint64_t known, uint64_t room);

/* How many bytes of the file should have room, when `used` are taken and `last` bytes were taken in
 * the last interval. At most `capacity`. */
uint64_t populate_goal(uint64_t used, uint64_t last, uint64_t capacity);

#endif
