/* The copies of one round: a program of its own, which `portwitness run` witnesses. */
#ifndef PORTWITNESS_STRESS_COPIES_H
#define PORTWITNESS_STRESS_COPIES_H

#include <stdbool.h>
#include <stdint.h>

/* The hidden first argument of `portwitness stress`; behind it the folder for output and statuses,
 * the number of copies, the timeout in seconds (0: none), 1 to isolate them or 0, and the command.
 */
#define COPIES_ARGUMENT "--as-copies"

/* How a copy ended; the file "statuses" in the folder holds one for each, in order. */
struct copy_status {
    int32_t wait_status; /* as of waitpid(2) */
    uint8_t ended;       /* 0: it was never started */
    uint8_t timed_out;
    uint8_t reserved[2];
    int32_t not_isolated; /* errno of what could not be done, 0: nothing */
};

/* Runs all copies at the same time, each in a process group of its own with its output in the file
 * "copy-N.out", and waits until they have ended. A signal that ends programs ends them. The exit
 * status is 0 once the statuses are written. */
int copies_main(int argc, char **argv);

#endif
